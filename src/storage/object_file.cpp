#include "storage/object_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aiserve/core/id.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::uint64_t kMagic = 0x316a626f76726573;  // "servobj1"
constexpr std::string_view kDraft = ".draft-";

struct Footer {
  Sha256 sha256;
  std::uint64_t size;
  std::uint64_t magic;
};
static_assert(sizeof(Footer) == 48);

Result<void> read_all(int file, std::span<std::byte> into, std::uint64_t offset) {
  while (!into.empty()) {
    const ssize_t n = ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("read");
    if (n == 0) return Error(Errc::data_loss, "the object is cut short");
    into = into.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return success();
}

Result<void> sync_folder(const std::string& folder) {
  const FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle || ::fsync(handle.get()) != 0) return file_error("sync folder");
  return success();
}

}  // namespace

FileHandle::~FileHandle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error file_error(const char* what) {
  const int error = errno;
  const std::string text = std::string(what) + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE) {
    return Error(Errc::overloaded, "the object store has no room")
        .retry_after(std::chrono::seconds(1))
        .with_detail(text);
  }
  return Error(Errc::unavailable, "the object store cannot be used").with_detail(text);
}

Result<std::unique_ptr<ObjectDraft>> ObjectDraft::create(const std::string& folder) {
  std::string path = folder + "/" + std::string(kDraft) + make_id();
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (!file) return file_error("create");
  ::flock(file.get(), LOCK_EX | LOCK_NB);
  return std::unique_ptr<ObjectDraft>(new ObjectDraft(std::move(file), std::move(path)));
}

ObjectDraft::~ObjectDraft() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> ObjectDraft::write_all(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return success();
}

Result<void> ObjectDraft::write(ByteView bytes) {
  hash_.add(bytes);
  size_ += bytes.size();
  return write_all(bytes);
}

Result<ObjectInfo> ObjectDraft::commit(const std::string& folder, const std::string& path,
                                       bool sync) {
  const Footer footer{hash_.finish(), size_, kMagic};
  if (auto written = write_all(std::as_bytes(std::span(&footer, 1))); !written) {
    return written.error();
  }
  if (sync && ::fsync(file_.get()) != 0) return file_error("sync");
  if (::rename(path_.c_str(), path.c_str()) != 0) return file_error("rename");
  path_.clear();
  if (sync) {
    if (auto synced = sync_folder(folder); !synced) return synced.error();
  }
  return ObjectInfo{size_, footer.sha256};
}

void remove_stale_drafts(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (!entry.path().filename().string().starts_with(kDraft)) continue;
    const FileHandle file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

Result<ObjectFile> ObjectFile::open(const std::string& path) {
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return Error(Errc::not_found, "no such object");
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return file_error("open");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  Footer footer{};
  if (size >= sizeof footer) {
    const auto into = std::as_writable_bytes(std::span(&footer, 1));
    if (auto read = read_all(file.get(), into, size - sizeof footer); !read) return read.error();
  }
  if (footer.magic != kMagic || footer.size != size - sizeof footer) {
    return Error(Errc::data_loss, "the object is damaged");
  }
  return ObjectFile(std::move(file), ObjectInfo{footer.size, footer.sha256});
}

Result<Bytes> ObjectFile::read(std::uint64_t offset, std::uint64_t length) const {
  offset = std::min(offset, info_.size);
  length = std::min(length, info_.size - offset);
  MutableBytes block(static_cast<std::size_t>(length));
  if (auto read = read_all(file_.get(), block.span(), offset); !read) return read.error();
  Bytes content = std::move(block).freeze();
  if (length == info_.size && sha256(content.text()) != info_.sha256) {
    return Error(Errc::data_loss, "the object does not match its hash");
  }
  return content;
}

}  // namespace aiserve::inline v0::detail
