#include "aiserve/storage/file_object_store.hpp"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "aiserve/core/runtime.hpp"
#include "storage/checks.hpp"
#include "storage/folder_walk.hpp"
#include "storage/object_file.hpp"

namespace aiserve::inline v0 {

using detail::FolderWalk;
using detail::ObjectDraft;
using detail::ObjectFile;
using detail::ObjectLabel;

namespace {

constexpr std::size_t kNameSize = 64;        // of a file: a hash in hex
constexpr std::size_t kOpenedAtMost = 4000;  // files, for one page of a list

}  // namespace

struct FileObjectStore::Impl {
  Impl(Runtime& given, FileObjectStoreOptions chosen) : runtime(given), options(std::move(chosen)) {
    if (options.root.empty()) throw ConfigError("file object store: root is not set");
    if (options.max_size == 0) throw ConfigError("file object store: max_size must be above 0");
    std::error_code error;
    std::filesystem::create_directory(options.root, error);
    if (error || ::access(options.root.c_str(), R_OK | W_OK | X_OK) != 0) {
      throw ConfigError("file object store: root is not a folder that can be written");
    }
    detail::remove_stale_drafts(options.root);
  }

  std::string path_of(const StoreKey& key) const {
    // The tenant's hash is of fixed length, so that no tenant and key read like two others.
    const std::string tenant = detail::hex(detail::sha256(key.tenant().view()));
    return options.root + "/" + detail::hex(detail::sha256(tenant + key.name()));
  }

  Result<void> write(ObjectDraft& draft, const Bytes& part) const {
    if (part.size() > options.max_size - std::min(draft.size(), options.max_size)) {
      return Error(Errc::too_large, "the object is larger than the store takes");
    }
    return draft.write(part.view());
  }

  Result<ObjectInfo> commit(ObjectDraft& draft, const StoreKey& key) const {
    const std::int64_t now = runtime.clock().wall_now().time_since_epoch().count();
    return draft.commit(options.root, path_of(key), ObjectLabel{key, now}, options.sync);
  }

  /// In the order of the names of files, which are hashes.
  Result<ObjectList> list(const ObjectPage& page) const {
    Result<FolderWalk::Part> files = walk.after(page.after);
    if (!files) return files.error();
    const std::int64_t before = page.before.time_since_epoch().count();
    const auto most = static_cast<std::size_t>(page.limit);
    const std::size_t last = std::min(files->names.size(), kOpenedAtMost);
    ObjectList found;
    std::size_t seen = 0;
    while (seen < last && found.keys.size() < most) {
      const Result<ObjectFile> file = ObjectFile::open(options.root + "/" + files->names[seen++]);
      // One that is broken or gone hides no other; no free descriptor would hide all.
      if (!file && file.error().code() == Errc::overloaded) return file.error();
      if (file && file->label() && file->label()->written_at < before &&
          file->label()->key.name().starts_with(page.prefix)) {
        found.keys.push_back(file->label()->key);
      }
    }
    found.next = walk.keep(std::move(*files), seen);
    return found;
  }

  Runtime& runtime;
  const FileObjectStoreOptions options;
  mutable detail::FolderWalk walk{options.root, kNameSize};
};

namespace {

/// Work outlives a caller that gave up, so the draft is shared with it.
template <class Store>
class FileWriter final : public ObjectWriter {
 public:
  FileWriter(std::shared_ptr<const Store> store, StoreKey key, std::shared_ptr<ObjectDraft> draft)
      : store_(std::move(store)), key_(std::move(key)), draft_(std::move(draft)) {}

  Async<void> write(const Context& ctx, const Bytes& part) override {
    if (!draft_ || broken_) co_return ended();
    broken_ = true;  // until this part is known to be there
    const auto work = [store = store_, draft = draft_, part] { return store->write(*draft, part); };
    Result<void> written = co_await store_->runtime.blocking(ctx, work);
    broken_ = !written.ok();
    co_return written;
  }

  Async<ObjectInfo> commit(const Context& ctx) override {
    if (!draft_ || broken_) co_return ended();
    const auto work = [store = store_, draft = std::exchange(draft_, nullptr), key = key_] {
      return store->commit(*draft, key);
    };
    co_return co_await store_->runtime.blocking(ctx, work);
  }

 private:
  static Error ended() {
    return Error(Errc::invalid_argument, "the writer has ended or a write to it failed");
  }

  std::shared_ptr<const Store> store_;
  StoreKey key_;
  std::shared_ptr<ObjectDraft> draft_;
  bool broken_ = false;
};

}  // namespace

FileObjectStore::FileObjectStore(Runtime& runtime, FileObjectStoreOptions options)
    : impl_(std::make_shared<Impl>(runtime, std::move(options))) {}
FileObjectStore::~FileObjectStore() = default;

Async<std::unique_ptr<ObjectWriter>> FileObjectStore::create(const Context& ctx,
                                                             const StoreKey& key) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work = [impl = impl_] { return ObjectDraft::create(impl->options.root); };
  Result<std::unique_ptr<ObjectDraft>> draft = co_await impl_->runtime.blocking(ctx, work);
  if (!draft) co_return draft.error();
  co_return std::make_unique<FileWriter<Impl>>(impl_, key, std::move(*draft));
}

Async<ObjectInfo> FileObjectStore::put(const Context& ctx, const StoreKey& key,
                                       const Bytes& content) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work = [impl = impl_, key, content]() -> Result<ObjectInfo> {
    const auto draft = ObjectDraft::create(impl->options.root);
    if (!draft) return draft.error();
    if (auto written = impl->write(**draft, content); !written) return written.error();
    return impl->commit(**draft, key);
  };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

Async<Bytes> FileObjectStore::get(const Context& ctx, const StoreKey& key, std::uint64_t offset,
                                  std::uint64_t length) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work = [path = impl_->path_of(key), offset, length]() -> Result<Bytes> {
    const Result<ObjectFile> file = ObjectFile::open(path);
    if (!file) return file.error();
    return file->read(offset, length);
  };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

Async<ObjectInfo> FileObjectStore::info(const Context& ctx, const StoreKey& key) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work = [path = impl_->path_of(key)]() -> Result<ObjectInfo> {
    const Result<ObjectFile> file = ObjectFile::open(path);
    if (!file) return file.error();
    return file->info();
  };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

Async<bool> FileObjectStore::remove(const Context& ctx, const StoreKey& key) {
  if (auto good = key.check(); !good) co_return good.error();
  const auto work = [path = impl_->path_of(key)]() -> Result<bool> {
    if (::unlink(path.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    return detail::file_error("remove");
  };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

Async<ObjectList> FileObjectStore::list(const Context& ctx, const ObjectPage& page) {
  if (auto good = detail::check_limit(page.limit); !good) co_return good.error();
  const auto work = [impl = impl_, page]() -> Result<ObjectList> { return impl->list(page); };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

}  // namespace aiserve::inline v0
