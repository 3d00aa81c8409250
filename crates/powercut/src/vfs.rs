//! The virtual file system: SQLite's C interface, passed on to the machine's own.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::{mem, ptr, slice};

use rusqlite::ffi;

use crate::disk::Watch;

const NAME: &CStr = c"powercut";

static WATCHES: Mutex<Vec<Arc<Watch>>> = Mutex::new(Vec::new());
static BASE: OnceLock<Base> = OnceLock::new();
static REGISTERED: Once = Once::new();

/// The machine's own file system, which lives as long as the process.
struct Base(*mut ffi::sqlite3_vfs);
// SAFETY: SQLite's file systems may be used by all threads.
unsafe impl Send for Base {}
unsafe impl Sync for Base {}

/// A file: ours, and the machine's own right behind it.
#[repr(C)]
struct Handle {
    head: ffi::sqlite3_file,
    /// Null for files that nobody watches.
    watched: *mut Watched,
}

struct Watched {
    disk: Arc<Watch>,
    path: PathBuf,
    is_database: bool,
}

/// Version 2: shared memory, which a log needs, and no memory maps, whose writes nobody would see.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Makes this the file system of all databases that the process opens from now on.
pub fn register() -> Result<(), String> {
    // SAFETY: SQLite gives out its default, or null where it has none.
    let base = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    if base.is_null() {
        return Err("SQLite has no file system".to_owned());
    }
    let mut refused = ffi::SQLITE_OK;
    REGISTERED.call_once(|| {
        let _ = BASE.set(Base(base));
        // SAFETY: a copy of the default, of which only what follows is ours; it is never freed, as SQLite asks.
        refused = unsafe {
            let mut own = *base;
            own.pNext = ptr::null_mut();
            own.zName = NAME.as_ptr();
            own.szOsFile += size_of::<Handle>() as c_int;
            own.xOpen = Some(open);
            own.xDelete = Some(delete);
            ffi::sqlite3_vfs_register(Box::into_raw(Box::new(own)), 1)
        };
    });
    if refused == ffi::SQLITE_OK { Ok(()) } else { Err(format!("SQLite refuses the file system: {refused}")) }
}

fn watches() -> MutexGuard<'static, Vec<Arc<Watch>>> {
    WATCHES.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn add(watch: Arc<Watch>) {
    watches().push(watch);
}

pub fn remove(watch: &Arc<Watch>) {
    watches().retain(|other| !Arc::ptr_eq(other, watch));
}

fn disk_of(path: &Path) -> Option<Arc<Watch>> {
    watches().iter().find(|watch| watch.holds(path)).cloned()
}

fn base() -> *mut ffi::sqlite3_vfs {
    BASE.get().map_or(ptr::null_mut(), |base| base.0)
}

/// # Safety
/// `name` is null or a path that SQLite has made whole.
unsafe fn path(name: *const c_char) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    // SAFETY: as the caller says.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes())))
}

// Below, `file` is always a `Handle` that SQLite has made room for, with the machine's own file behind it.

/// The machine's own file behind ours.
fn own(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    file.cast::<Handle>().wrapping_add(1).cast()
}

unsafe fn watched<'f>(file: *mut ffi::sqlite3_file) -> Option<&'f Watched> {
    // SAFETY: see above; what is watched lives until the file is closed.
    unsafe { (*file.cast::<Handle>()).watched.as_ref() }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: see above; the arguments are passed on as they came.
    unsafe {
        let handle = file.cast::<Handle>();
        (*handle).head.pMethods = ptr::null();
        (*handle).watched = ptr::null_mut();
        let path = path(name);
        let existed = path.as_ref().is_some_and(|path| path.exists());
        let Some(open) = (*base()).xOpen else { return ffi::SQLITE_ERROR };
        let opened = open(base(), name, own(file), flags, out);
        if !(*own(file)).pMethods.is_null() {
            (*handle).head.pMethods = &raw const METHODS;
        }
        let lasts = flags & (ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL);
        if opened == ffi::SQLITE_OK
            && lasts != 0
            && let Some(path) = path
            && let Some(disk) = disk_of(&path)
        {
            disk.open(&path, existed);
            let is_database = flags & ffi::SQLITE_OPEN_MAIN_DB != 0;
            (*handle).watched = Box::into_raw(Box::new(Watched { disk, path, is_database }));
        }
        opened
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    // SAFETY: the arguments are passed on as they came.
    unsafe {
        let Some(delete) = (*base()).xDelete else { return ffi::SQLITE_ERROR };
        let deleted = delete(base(), name, sync_dir);
        if deleted == ffi::SQLITE_OK
            && let Some(path) = path(name)
            && let Some(disk) = disk_of(&path)
        {
            disk.delete(&path, sync_dir != 0);
        }
        deleted
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: see above; SQLite closes a file once.
    unsafe {
        let handle = file.cast::<Handle>();
        let watched = mem::replace(&mut (*handle).watched, ptr::null_mut());
        if !watched.is_null() {
            drop(Box::from_raw(watched));
        }
        pass(own(file), |methods| methods.xClose, |close| close(own(file)))
    }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    bytes: *mut c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see above; the arguments are passed on as they came.
    unsafe {
        if let Some(Watched { disk, .. }) = watched(file) {
            disk.read(count as usize);
        }
        pass(own(file), |methods| methods.xRead, |read| read(own(file), bytes, count, at))
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: see above; SQLite gives `count` bytes.
    unsafe {
        let written = pass(own(file), |methods| methods.xWrite, |write| write(own(file), bytes, count, at));
        if written == ffi::SQLITE_OK
            && let Some(Watched { disk, path, is_database }) = watched(file)
        {
            disk.write(
                (path, *is_database),
                at as usize,
                slice::from_raw_parts(bytes.cast(), count as usize),
            );
        }
        written
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: see above.
    unsafe {
        let truncated = pass(own(file), |methods| methods.xTruncate, |truncate| truncate(own(file), size));
        if truncated == ffi::SQLITE_OK
            && let Some(Watched { disk, path, .. }) = watched(file)
        {
            disk.truncate(path, size as usize);
        }
        truncated
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: see above.
    unsafe {
        match watched(file) {
            Some(Watched { disk, path, is_database }) => {
                if disk.sync(path, *is_database) {
                    ffi::SQLITE_OK
                } else {
                    ffi::SQLITE_IOERR_FSYNC
                }
            }
            None => pass(own(file), |methods| methods.xSync, |sync| sync(own(file), flags)),
        }
    }
}

/// Calls a method of the machine's own file.
unsafe fn pass<M>(
    own: *mut ffi::sqlite3_file,
    method: impl FnOnce(&ffi::sqlite3_io_methods) -> Option<M>,
    call: impl FnOnce(M) -> c_int,
) -> c_int {
    // SAFETY: an open file has methods.
    let methods = unsafe { (*own).pMethods.as_ref() };
    methods.and_then(method).map_or(ffi::SQLITE_IOERR, call)
}

/// Methods that are passed on as they are.
macro_rules! passed_on {
    ($($name:ident = $method:ident($($argument:ident: $of:ty),*);)*) => {
        $(unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($argument: $of),*) -> c_int {
            // SAFETY: the arguments are passed on as they came.
            unsafe { pass(own(file), |methods| methods.$method, |call| call(own(file), $($argument),*)) }
        })*
    };
}

passed_on! {
    file_size = xFileSize(size: *mut ffi::sqlite3_int64);
    lock = xLock(level: c_int);
    unlock = xUnlock(level: c_int);
    check_reserved_lock = xCheckReservedLock(found: *mut c_int);
    file_control = xFileControl(operation: c_int, argument: *mut c_void);
    sector_size = xSectorSize();
    device_characteristics = xDeviceCharacteristics();
    shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, memory: *mut *mut c_void);
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int);
    shm_unmap = xShmUnmap(delete: c_int);
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: see above.
    unsafe {
        let call = |barrier: unsafe extern "C" fn(*mut ffi::sqlite3_file)| {
            barrier(own(file));
            ffi::SQLITE_OK
        };
        pass(own(file), |methods| methods.xShmBarrier, call);
    }
}
