//! A disk in memory that knows what is synced and what is not, and that fails on demand.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Locking, Storage, StorageFile};

const SECTOR: usize = 512;

/// What a crash does with bytes and names that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// None arrived.
    LoseUnsynced,
    /// All arrived: the process died, the machine did not.
    KeepUnsynced,
    /// The first so many bytes arrived, in the order of writing, and all names.
    KeepBytes(usize),
    /// Of the touched sectors of 512 bytes, the n-th arrived if bit n is set (the last bit stands for all further ones);
    /// all names arrived.
    KeepSectors(u64),
    /// Sectors and a prefix of the name changes arrived by lot, from this seed.
    Seeded(u64),
}

/// What an operation that changes something may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No space left; of a write, the first half was done.
    Full,
    /// An I/O error; of a write, the first half was done; of a sync, the unsynced bytes are gone for good, and a second
    /// sync will claim success.
    Io,
    /// The file system has become read-only; nothing was done.
    ReadOnly,
    /// The process dies here: this and every later operation fails, until [`SimStorage::crash`].
    Die,
}

/// A simulated disk. Clones share it; [`crash`](Self::crash) makes all handles but the returned one useless.
#[derive(Clone, Debug, Default)]
pub struct SimStorage {
    disk: Arc<Mutex<Disk>>,
    life: u64,
}

#[derive(Debug, Default)]
struct Disk {
    life: u64,
    locked: bool,
    files: Vec<Inode>,
    names: BTreeMap<String, usize>,
    names_synced: BTreeMap<String, usize>,
    names_unsynced: Vec<NameChange>,
    unsynced: Vec<(usize, Change)>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    read_only: bool,
    space: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    live: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Clone, Debug)]
enum NameChange {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

impl SimStorage {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Crashes the machine and gives the handle of its next life; every older handle fails from now on.
    #[must_use = "older handles are dead"]
    pub fn crash(&self, how: Crash) -> Self {
        let mut disk = self.disk.lock().expect("no panic while the disk is held");
        disk.crash(how);
        disk.life += 1;
        Self { disk: Arc::clone(&self.disk), life: disk.life }
    }

    /// Makes the operation number `at` fail ([`operations`](Self::operations) counts them from 0).
    pub fn fail_at(&self, at: u64, fault: Fault) {
        self.disk().fault = Some((at, fault));
    }

    /// How many operations that change something were asked for so far.
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// Makes every change, and opening a file for one, fail with "read-only file system", or no longer.
    pub fn set_read_only(&self, read_only: bool) {
        self.disk().read_only = read_only;
    }

    /// Limits the bytes of all files together; `None` lifts the limit.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.disk().space = bytes;
    }

    /// How many sectors hold bytes that are not synced.
    pub fn unsynced_sectors(&self) -> usize {
        self.disk().unsynced_sectors().len()
    }

    /// How many written bytes are not synced.
    pub fn unsynced_bytes(&self) -> usize {
        self.disk().unsynced.iter().map(|(_, change)| change.written()).sum()
    }

    /// The bytes of a file; `None` if there is none of that name.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let disk = self.disk();
        disk.names.get(name).map(|&file| disk.files[file].live.clone())
    }

    /// Sets a file to these bytes, synced, as if another program had damaged or restored it.
    pub fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let mut disk = self.disk();
        let file = disk.files.len();
        disk.files.push(Inode { live: bytes.clone(), synced: bytes });
        disk.names.insert(name.to_owned(), file);
        disk.names_synced.insert(name.to_owned(), file);
    }

    /// A disk of its own with the same files, all synced, no faults and no lock.
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        let disk = self.disk();
        for (name, &file) in &disk.names {
            copy.set_bytes(name, disk.files[file].live.clone());
        }
        copy
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("no panic while the disk is held")
    }

    /// The disk, if this handle is of the present life.
    fn alive(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = self.disk();
        if disk.life == self.life { Ok(disk) } else { Err(io::Error::other("the simulated machine crashed")) }
    }

    /// The disk, for a change; with the fault that the change is to meet.
    fn change(&self) -> io::Result<(MutexGuard<'_, Disk>, Option<Fault>)> {
        let mut disk = self.alive()?;
        let operation = disk.operations;
        disk.operations += 1;
        let fault = match disk.fault {
            Some((at, fault)) if at == operation || (fault == Fault::Die && operation > at) => Some(fault),
            _ if disk.read_only => Some(Fault::ReadOnly),
            _ => None,
        };
        Ok((disk, fault))
    }

    /// The disk, for a change that is done wholly or not at all.
    fn whole_change(&self) -> io::Result<MutexGuard<'_, Disk>> {
        match self.change()? {
            (disk, None) => Ok(disk),
            (_, Some(fault)) => Err(fault.error()),
        }
    }
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Fault::Full => ErrorKind::StorageFull.into(),
            Fault::Io => io::Error::other("simulated input/output error"),
            Fault::ReadOnly => ErrorKind::ReadOnlyFilesystem.into(),
            Fault::Die => io::Error::other("the simulated process died"),
        }
    }
}

impl Change {
    fn written(&self) -> usize {
        match self {
            Change::Write(_, bytes) => bytes.len(),
            Change::Length(_) => 0,
        }
    }

    fn apply(&self, target: &mut Vec<u8>) {
        match self {
            Change::Write(at, bytes) => {
                let end = at + bytes.len();
                if target.len() < end {
                    target.resize(end, 0);
                }
                target[*at..end].copy_from_slice(bytes);
            }
            Change::Length(length) => target.resize(*length, 0),
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            NameChange::Create(name, file) => drop(names.insert(name.clone(), *file)),
            NameChange::Remove(name) => drop(names.remove(name)),
            NameChange::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

impl Disk {
    fn file(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.names_unsynced.push(change);
    }

    fn check_space(&self, more: usize) -> io::Result<()> {
        let used: usize = self.names.values().map(|&file| self.files[file].live.len()).sum();
        match self.space {
            Some(space) if (used + more) as u64 > space => Err(ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn write(&mut self, file: usize, change: Change) {
        change.apply(&mut self.files[file].live);
        self.unsynced.push((file, change));
    }

    /// Takes the unsynced changes of a file.
    fn take_unsynced(&mut self, file: usize) -> Vec<(usize, Change)> {
        self.unsynced.extract_if(.., |(of, _)| *of == file).collect()
    }

    fn unsynced_sectors(&self) -> Vec<(usize, usize)> {
        let mut sectors = Vec::new();
        for (file, change) in &self.unsynced {
            if let Change::Write(at, bytes) = change
                && !bytes.is_empty()
            {
                sectors.extend((at / SECTOR..=(at + bytes.len() - 1) / SECTOR).map(|sector| (*file, sector)));
            }
        }
        sectors.sort_unstable();
        sectors.dedup();
        sectors
    }

    fn crash(&mut self, how: Crash) {
        let mut random = SplitMix(match how {
            Crash::Seeded(seed) => seed,
            _ => 0,
        });
        let names_kept = match how {
            Crash::LoseUnsynced => 0,
            Crash::Seeded(_) => random.below(self.names_unsynced.len() + 1),
            _ => self.names_unsynced.len(),
        };
        for change in &self.names_unsynced[..names_kept] {
            change.apply(&mut self.names_synced);
        }
        match how {
            Crash::LoseUnsynced => {}
            Crash::KeepUnsynced => self.keep_bytes(usize::MAX),
            Crash::KeepBytes(bytes) => self.keep_bytes(bytes),
            Crash::KeepSectors(mask) => self.keep_sectors(|n| mask >> n.min(63) & 1 == 1),
            Crash::Seeded(_) => self.keep_sectors(|_| random.below(2) == 1),
        }
        self.names = self.names_synced.clone();
        self.names_unsynced.clear();
        self.unsynced.clear();
        for file in &mut self.files {
            file.live.clone_from(&file.synced);
        }
        self.locked = false;
        self.fault = None;
    }

    fn keep_bytes(&mut self, mut bytes: usize) {
        for (file, change) in std::mem::take(&mut self.unsynced) {
            let change = match change {
                Change::Write(at, mut written) => {
                    written.truncate(bytes);
                    bytes -= written.len();
                    Change::Write(at, written)
                }
                length => length,
            };
            change.apply(&mut self.files[file].synced);
        }
    }

    fn keep_sectors(&mut self, mut arrives: impl FnMut(usize) -> bool) {
        for (n, (file, sector)) in self.unsynced_sectors().into_iter().enumerate() {
            if arrives(n) {
                let Inode { live, synced } = &mut self.files[file];
                let end = ((sector + 1) * SECTOR).min(live.len());
                let start = (sector * SECTOR).min(end);
                synced.resize(synced.len().max(end), 0);
                synced[start..end].copy_from_slice(&live[start..end]);
            }
        }
        for (file, change) in std::mem::take(&mut self.unsynced) {
            if let Change::Length(length) = change
                && arrives(usize::MAX)
            {
                self.files[file].synced.resize(length, 0);
            }
        }
    }
}

impl Storage for SimStorage {
    type File = SimFile;
    type Lock = SimLock;

    fn create_dir(&self) -> io::Result<()> {
        self.alive().map(drop)
    }

    fn lock(&self) -> io::Result<Locking<SimLock>> {
        let mut disk = self.whole_change()?;
        if disk.locked {
            return Ok(Locking::Held(None));
        }
        disk.locked = true;
        Ok(Locking::Ours(SimLock(self.clone())))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.alive()?.names.keys().cloned().collect())
    }

    fn open(&self, name: &str, write: bool) -> io::Result<SimFile> {
        let disk = self.alive()?;
        let file = disk.file(name)?;
        if write && disk.read_only {
            return Err(Fault::ReadOnly.error());
        }
        drop(disk);
        Ok(SimFile { storage: self.clone(), file })
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<SimFile> {
        let mut disk = self.whole_change()?;
        let length = usize::try_from(bytes).map_err(io::Error::other)?;
        disk.check_space(length)?;
        let file = disk.files.len();
        disk.files.push(Inode { live: vec![0; length], synced: vec![0; length] });
        disk.rename(NameChange::Create(name.to_owned(), file));
        drop(disk);
        Ok(SimFile { storage: self.clone(), file })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.whole_change()?;
        disk.file(from)?;
        disk.rename(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.whole_change()?;
        disk.file(name)?;
        disk.rename(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut disk = self.whole_change()?;
        disk.names_unsynced.clear();
        disk.names_synced = disk.names.clone();
        Ok(())
    }

    fn settle(&self) {}
}

/// The writer's lock on a simulated disk.
#[derive(Debug)]
pub struct SimLock(SimStorage);

impl Drop for SimLock {
    fn drop(&mut self) {
        if let Ok(mut disk) = self.0.alive() {
            disk.locked = false;
        }
    }
}

/// An open file of a simulated disk.
#[derive(Debug)]
pub struct SimFile {
    storage: SimStorage,
    file: usize,
}

impl StorageFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.storage.alive()?.files[self.file].live.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = self.storage.alive()?;
        let live = &disk.files[self.file].live;
        let start = usize::try_from(offset).map_err(io::Error::other)?.min(live.len());
        let read = buffer.len().min(live.len() - start);
        buffer[..read].copy_from_slice(&live[start..start + read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (mut disk, fault) = self.storage.change()?;
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let growth = (at + bytes.len()).saturating_sub(disk.files[self.file].live.len());
        let done = match fault {
            None => disk.check_space(growth).map(|()| bytes.len())?,
            Some(Fault::Full | Fault::Io) => bytes.len() / 2,
            Some(Fault::ReadOnly | Fault::Die) => 0,
        };
        disk.write(self.file, Change::Write(at, bytes[..done].to_vec()));
        fault.map_or(Ok(()), |fault| Err(fault.error()))
    }

    fn sync(&self) -> io::Result<()> {
        let (mut disk, fault) = self.storage.change()?;
        match fault {
            Some(Fault::Die) => return Err(Fault::Die.error()),
            Some(fault) => {
                disk.take_unsynced(self.file); // as kernels do: the pages count as clean now, and are not on the disk
                return Err(fault.error());
            }
            None => {}
        }
        for (_, change) in disk.take_unsynced(self.file) {
            change.apply(&mut disk.files[self.file].synced);
        }
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut disk = self.storage.whole_change()?;
        let length = usize::try_from(bytes).map_err(io::Error::other)?;
        disk.write(self.file, Change::Length(length));
        Ok(())
    }
}

/// The generator of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("less than a usize")
    }
}
