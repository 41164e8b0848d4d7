// ObjectFile: one object on disk: the content, its tenant and name, then 72 bytes that describe and
// check them. Blocking; for the pool.
#pragma once

#include <optional>
#include <string>

#include "storage/sha256.hpp"

namespace aiserve::inline v0::detail {

class FileHandle {
 public:
  FileHandle() noexcept = default;
  explicit FileHandle(int descriptor) noexcept : descriptor_(descriptor) {}
  ~FileHandle();
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  int get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// An Error for errno, or another number of its kind: overloaded without room, unavailable
/// otherwise.
Error file_error(const char* what);
Error file_error(const char* what, int number);

/// What a list of objects has to know of one.
struct ObjectLabel {
  StoreKey key;
  std::int64_t written_at = 0;  ///< nanoseconds of the wall clock
};

/// An object that is being written, under a temporary name that it holds a lock on.
class ObjectDraft {
 public:
  /// Errors: as file_error().
  static Result<std::unique_ptr<ObjectDraft>> create(const std::string& folder);
  ~ObjectDraft();
  ObjectDraft(const ObjectDraft&) = delete;
  ObjectDraft& operator=(const ObjectDraft&) = delete;

  Result<void> write(ByteView bytes);
  std::uint64_t size() const noexcept { return size_; }
  /// Moves it to `path` in `folder`.
  Result<ObjectInfo> commit(const std::string& folder, const std::string& path,
                            const ObjectLabel& label, bool sync);

 private:
  ObjectDraft(FileHandle file, std::string path) noexcept
      : file_(std::move(file)), path_(std::move(path)) {}
  Result<void> write_all(ByteView bytes);

  FileHandle file_;
  std::string path_;
  Sha256Hash hash_;
  std::uint64_t size_ = 0;
};

/// Removes drafts that no process holds.
void remove_stale_drafts(const std::string& folder);

class ObjectFile {
 public:
  /// Errors: not_found, data_loss (no object), unavailable.
  static Result<ObjectFile> open(const std::string& path);

  const ObjectInfo& info() const noexcept { return info_; }
  /// Nothing in files of the first format.
  const std::optional<ObjectLabel>& label() const noexcept { return label_; }
  /// Errors: data_loss, unavailable.
  Result<Bytes> read(std::uint64_t offset, std::uint64_t length) const;

 private:
  ObjectFile(FileHandle file, const ObjectInfo& info, std::optional<ObjectLabel> label) noexcept
      : file_(std::move(file)), info_(info), label_(std::move(label)) {}
  static Result<ObjectFile> open_labelled(FileHandle file, std::uint64_t size);
  static Result<ObjectFile> open_plain(FileHandle file, std::uint64_t size);

  FileHandle file_;
  ObjectInfo info_;
  std::optional<ObjectLabel> label_;
};

}  // namespace aiserve::inline v0::detail
