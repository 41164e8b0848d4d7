/// FileObjectStore: an ObjectStore in a folder, one file per object.
///
/// A commit is fsync, rename, fsync of the folder: after it the object survives a power cut. Files
/// are named by the SHA-256 of tenant and key, so any bytes can be a key, and no key can name a
/// file outside. What a killed process left half-written is removed at the next start. Work is done
/// on the blocking pool. Several processes may use one folder. *Thread safety:* any I/O thread of
/// the Runtime. *Errors:* the constructor throws ConfigError; the rest as the port.
///
///     FileObjectStore objects(runtime, {.root = "/var/lib/classifier/objects"});
#pragma once

#include <aiserve/storage/object_store.hpp>

#include <string>

namespace aiserve::inline v0 {

class Runtime;

struct FileObjectStoreOptions {
  /// The folder; made if it is not there, its parent exists. No default.
  std::string root{};
  /// Largest object in bytes, above 0.
  std::uint64_t max_size = std::uint64_t{4} << 30;
  /// fsync at commit. Without it a power cut can lose or empty objects that were committed in the
  /// last half minute; a killed process loses nothing.
  bool sync = true;
};

class FileObjectStore final : public ObjectStore {
 public:
  /// Throws ConfigError when an option is out of its range or the folder cannot be used.
  FileObjectStore(Runtime& runtime, FileObjectStoreOptions options);
  ~FileObjectStore() override;

  Async<std::unique_ptr<ObjectWriter>> create(const Context& ctx, const StoreKey& key) override;
  Async<ObjectInfo> put(const Context& ctx, const StoreKey& key, const Bytes& content) override;
  Async<Bytes> get(const Context& ctx, const StoreKey& key, std::uint64_t offset,
                   std::uint64_t length) override;
  Async<ObjectInfo> info(const Context& ctx, const StoreKey& key) override;
  Async<bool> remove(const Context& ctx, const StoreKey& key) override;
  /// Files that are damaged or cannot be opened hide no others: they are left out, and stay. Nor
  /// are objects listed of versions before this call existed.
  Async<ObjectList> list(const Context& ctx, const ObjectPage& page) override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
