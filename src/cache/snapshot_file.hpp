// The file of a cache snapshot: a head, chunks of one tenant each, an end; each under a checksum.
//
//     head    "aisnap", version, a digest that tells whether the key of the digests is the same
//     chunk   size of what follows, number of entries, checksum; tenant, entries
//     end     a chunk of size 0 with the number of all entries
#pragma once

#include <fstream>
#include <functional>
#include <string>

#include "aiserve/cache/digest.hpp"
#include "cache/saved_entry.hpp"

namespace aiserve::inline v0::detail {

/// Writes beside `path`, and takes its place at the end: a crash leaves the old file.
class SnapshotWriter {
 public:
  SnapshotWriter(std::string path, const DigestKey& key);
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  void add(const SavedChunk& chunk);
  /// The number of entries. Errors: unavailable.
  Result<std::size_t> finish();

 private:
  const std::string path_;
  const std::string beside_;
  std::ofstream out_;
  bool written_ = false;  // there is a file beside, and it is closed
  std::size_t entries_ = 0;
};

/// Calls `take` for every chunk of a file that is whole. Errors: not_found (no file), data_loss
/// (not whole, of another version or another key): then `take` was not called.
Result<std::size_t> read_snapshot(const std::string& path, const DigestKey& key,
                                  const std::function<void(SavedChunk)>& take);

}  // namespace aiserve::inline v0::detail
