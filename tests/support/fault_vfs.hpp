// FaultVfs: files for SQLite that fail when a test wants it, and that know what a power cut would
// leave of them. SQLite's default while it lives; one at a time. *Thread safety:* any thread.
//
// Nothing is really synced: what counts as synced is what xSync() was called for. Names of files
// are taken for as durable as their content (SQLite ignores failed syncs of directories).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace aiserve::inline v0::testing {

class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  /// The n-th (from 1) write, truncation or sync from now on fails with this code of SQLite, and
  /// so do all after it, or `once` only.
  void fail_at(long n, int code, bool once);
  /// Of syncs alone, the n-th from now on fails, once.
  void fail_sync(long n);
  /// `then` is called before the n-th from now on.
  void call_at(long n, std::function<void()> then);
  void heal();
  bool has_failed() const noexcept { return failures_ > 0; }

  /// Copies the files of a database as they are now.
  void copy(const std::string& from, const std::string& to);
  /// The same after a power cut: of each file, the writes since its last sync are missing from
  /// somewhere on. `keep(n)` says how many of n are not.
  void copy_after_power_cut(const std::string& from, const std::string& to,
                            const std::function<std::uint64_t(std::uint64_t)>& keep);

  // For the files:
  int permit();
  int permit_sync();
  void wrote(const std::string& file, std::int64_t offset, std::int64_t length, std::string before,
             std::int64_t size_before);
  void synced(const std::string& file);
  /// As the system does it: what was not synced is lost, though later syncs succeed, unless it is
  /// written again.
  void sync_failed(const std::string& file);
  sqlite3_vfs* below() const noexcept { return below_; }

 private:
  /// How to undo a write.
  struct Undo {
    std::int64_t offset;
    std::string before;
    std::int64_t size_before;
    std::int64_t length;  // 0: a truncation
  };
  static void undo(const std::string& path, const Undo& write);

  sqlite3_vfs* below_;
  std::recursive_mutex mutex_;
  long fail_in_ = 0;  // 0: not
  int code_ = 0;
  bool once_ = false;
  long fail_sync_in_ = 0;  // 0: not
  long call_in_ = 0;
  std::function<void()> then_;
  std::atomic<long> failures_{0};
  std::map<std::string, std::vector<Undo>> unsynced_;
  std::map<std::string, std::vector<Undo>> lost_;
};

}  // namespace aiserve::inline v0::testing
