#include "support/fault_vfs.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>

#include <sqlite3.h>

namespace aiserve::inline v0::testing {
namespace {

namespace fs = std::filesystem;

FaultVfs* active = nullptr;

/// What SQLite sees as a file; the real one lies behind it.
struct File {
  sqlite3_file base;
  std::string* name;  // SQLite owns the memory and calls no destructor

  sqlite3_file* real() noexcept { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
static_assert(sizeof(File) % alignof(void*) == 0);

File* self(sqlite3_file* file) noexcept { return reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) noexcept { return self(file)->real(); }

std::int64_t size_of(sqlite3_file* file) {
  sqlite3_int64 size = 0;
  file->pMethods->xFileSize(file, &size);
  return size;
}

/// What is in the range now, as far as the file goes.
std::string content(sqlite3_file* file, std::int64_t offset, std::int64_t length) {
  const std::int64_t end = std::min(offset + length, size_of(file));
  if (end <= offset) return {};
  std::string bytes(static_cast<std::size_t>(end - offset), '\0');
  file->pMethods->xRead(file, bytes.data(), static_cast<int>(bytes.size()), offset);
  return bytes;
}

int close_file(sqlite3_file* file) {
  const int code = real(file)->pMethods->xClose(real(file));
  delete self(file)->name;
  return code;
}

int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), to, size, offset);
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  if (const int code = active->permit(); code != SQLITE_OK) return code;
  active->wrote(*self(file)->name, offset, size, content(real(file), offset, size),
                size_of(real(file)));
  return real(file)->pMethods->xWrite(real(file), from, size, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = active->permit(); code != SQLITE_OK) return code;
  const std::int64_t before = size_of(real(file));
  active->wrote(*self(file)->name, size, 0, content(real(file), size, before - size), before);
  return real(file)->pMethods->xTruncate(real(file), size);
}

int sync_file(sqlite3_file* file, int) {
  if (const int code = active->permit_sync(); code != SQLITE_OK) {
    active->sync_failed(*self(file)->name);
    return code;
  }
  active->synced(*self(file)->name);
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* held) {
  return real(file)->pMethods->xCheckReservedLock(real(file), held);
}
int control_file(sqlite3_file* file, int what, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int traits_of(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, at);
}
int lock_shared(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int unmap_shared(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

const sqlite3_io_methods& methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods all{};
    all.iVersion = 2;  // no mapped pages: their writes would not be seen
    all.xClose = close_file;
    all.xRead = read_file;
    all.xWrite = write_file;
    all.xTruncate = truncate_file;
    all.xSync = sync_file;
    all.xFileSize = file_size;
    all.xLock = lock_file;
    all.xUnlock = unlock_file;
    all.xCheckReservedLock = check_lock;
    all.xFileControl = control_file;
    all.xSectorSize = sector_size;
    all.xDeviceCharacteristics = traits_of;
    all.xShmMap = map_shared;
    all.xShmLock = lock_shared;
    all.xShmBarrier = barrier;
    all.xShmUnmap = unmap_shared;
    return all;
  }();
  return table;
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* below = active->below();
  file->pMethods = nullptr;
  const int code = below->xOpen(below, name, real(file), flags, out_flags);
  if (code != SQLITE_OK) return code;
  self(file)->name = new std::string(name != nullptr ? name : "");
  file->pMethods = &methods();
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int) {
  if (const int code = active->permit(); code != SQLITE_OK) return SQLITE_IOERR_DELETE;
  active->synced(name);
  sqlite3_vfs* below = active->below();
  return below->xDelete(below, name, 0);
}

sqlite3_vfs& own() {
  static sqlite3_vfs vfs{};
  return vfs;
}

}  // namespace

FaultVfs::FaultVfs() : below_(sqlite3_vfs_find(nullptr)) {
  active = this;
  // All that is not about a file's content works on names only.
  own() = *below_;
  own().zName = "aiserve-faults";
  own().pNext = nullptr;
  own().szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
  own().xOpen = open_file;
  own().xDelete = delete_file;
  sqlite3_vfs_register(&own(), 1);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&own());
  sqlite3_vfs_register(below_, 1);
  active = nullptr;
}

void FaultVfs::fail_at(long n, int code, bool once) {
  const std::scoped_lock lock(mutex_);
  fail_in_ = n;
  code_ = code;
  once_ = once;
  failures_ = 0;
}

void FaultVfs::call_at(long n, std::function<void()> then) {
  const std::scoped_lock lock(mutex_);
  call_in_ = n;
  then_ = std::move(then);
}

void FaultVfs::fail_sync(long n) {
  const std::scoped_lock lock(mutex_);
  fail_sync_in_ = n;
  failures_ = 0;
}

void FaultVfs::heal() {
  const std::scoped_lock lock(mutex_);
  fail_in_ = 0;
  fail_sync_in_ = 0;
}

int FaultVfs::permit() {
  const std::scoped_lock lock(mutex_);
  if (call_in_ > 0 && --call_in_ == 0) then_();
  if (fail_in_ == 0) return SQLITE_OK;
  if (fail_in_ > 1) {
    --fail_in_;
    return SQLITE_OK;
  }
  if (once_) fail_in_ = 0;
  ++failures_;
  return code_;
}

int FaultVfs::permit_sync() {
  const std::scoped_lock lock(mutex_);
  if (fail_sync_in_ == 0 || --fail_sync_in_ > 0) return permit();
  ++failures_;
  return SQLITE_IOERR_FSYNC;
}

void FaultVfs::wrote(const std::string& file, std::int64_t offset, std::int64_t length,
                     std::string before, std::int64_t size_before) {
  const std::scoped_lock lock(mutex_);
  unsynced_[file].push_back({offset, std::move(before), size_before, length});
  const bool truncates = length == 0;
  std::erase_if(lost_[file], [&](const Undo& one) {
    const bool within = truncates || one.offset + one.length <= offset + length;
    return one.offset >= offset && within;
  });
}

void FaultVfs::sync_failed(const std::string& file) {
  const std::scoped_lock lock(mutex_);
  for (Undo& one : unsynced_[file]) {
    if (one.length == 0) continue;
    one.before.resize(static_cast<std::size_t>(one.length), '\0');
    lost_[file].push_back(std::move(one));
  }
  unsynced_.erase(file);
}

void FaultVfs::synced(const std::string& file) {
  const std::scoped_lock lock(mutex_);
  unsynced_.erase(file);
}

void FaultVfs::copy(const std::string& from, const std::string& to) {
  copy_after_power_cut(from, to, [](std::uint64_t all) { return all; });
}

void FaultVfs::undo(const std::string& path, const Undo& write) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(write.offset);
  file.write(write.before.data(), static_cast<std::streamsize>(write.before.size()));
}

void FaultVfs::copy_after_power_cut(const std::string& from, const std::string& to,
                                    const std::function<std::uint64_t(std::uint64_t)>& keep) {
  const std::scoped_lock lock(mutex_);
  for (const char* suffix : {"", "-wal"}) {
    if (!fs::exists(from + suffix)) continue;
    fs::copy_file(from + suffix, to + suffix, fs::copy_options::overwrite_existing);
    std::vector<Undo> writes = unsynced_[from + suffix];
    writes.erase(writes.begin(), writes.begin() + static_cast<std::ptrdiff_t>(keep(writes.size())));
    for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
      undo(to + suffix, *write);
      fs::resize_file(to + suffix, static_cast<std::uintmax_t>(write->size_before));
    }
    const std::uintmax_t size = fs::file_size(to + suffix);
    const std::vector<Undo>& lost = lost_[from + suffix];
    for (auto write = lost.rbegin(); write != lost.rend(); ++write) undo(to + suffix, *write);
    if (fs::file_size(to + suffix) > size) fs::resize_file(to + suffix, size);
  }
}

}  // namespace aiserve::inline v0::testing
