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

constexpr std::uint64_t kPlainMagic = 0x316a626f76726573;  // "servobj1"
constexpr std::uint64_t kMagic = 0x326a626f76726573;       // "servobj2"
constexpr std::string_view kDraft = ".draft-";
constexpr std::uint64_t kLongestNames = 1 << 16;

/// Of the first format, which knew no label.
struct PlainFooter {
  Sha256 sha256;
  std::uint64_t size;
  std::uint64_t magic;
};
static_assert(sizeof(PlainFooter) == 48);

struct Footer {
  Sha256 sha256;  // of the content
  std::uint64_t size;
  std::int64_t written_at;
  std::uint32_t tenant_size;
  std::uint32_t name_size;
  std::uint64_t check;  // of all of it but the content
  std::uint64_t magic;
};
static_assert(sizeof(Footer) == 72);

std::uint64_t check_of(Footer footer, std::string_view names) {
  footer.check = 0;
  const Sha256 hash = Sha256Hash().add(names).add(std::as_bytes(std::span(&footer, 1))).finish();
  std::uint64_t check = 0;
  std::memcpy(&check, hash.data(), sizeof check);
  return check;
}

Error damaged() { return Error(Errc::data_loss, "the object is damaged"); }

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

Error file_error(const char* what) { return file_error(what, errno); }

Error file_error(const char* what, int number) {
  const std::string text = std::string(what) + ": " + std::strerror(number);
  if (number == ENOSPC || number == EDQUOT || number == EMFILE || number == ENFILE) {
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
                                       const ObjectLabel& label, bool sync) {
  const std::string tenant(label.key.tenant().view());
  const std::string names = tenant + label.key.name();
  Footer footer{.sha256 = hash_.finish(),
                .size = size_,
                .written_at = label.written_at,
                .tenant_size = static_cast<std::uint32_t>(tenant.size()),
                .name_size = static_cast<std::uint32_t>(label.key.name().size()),
                .check = 0,
                .magic = kMagic};
  footer.check = check_of(footer, names);
  for (const ByteView part :
       {std::as_bytes(std::span(names)), std::as_bytes(std::span<const Footer>(&footer, 1))}) {
    if (auto written = write_all(part); !written) return written.error();
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
  std::uint64_t magic = 0;
  if (size >= sizeof magic) {
    const auto into = std::as_writable_bytes(std::span(&magic, 1));
    if (auto read = read_all(file.get(), into, size - sizeof magic); !read) return read.error();
  }
  if (magic == kMagic) return open_labelled(std::move(file), size);
  if (magic == kPlainMagic) return open_plain(std::move(file), size);
  return damaged();
}

Result<ObjectFile> ObjectFile::open_labelled(FileHandle file, std::uint64_t size) {
  Footer footer{};
  if (size < sizeof footer) return damaged();
  const auto into = std::as_writable_bytes(std::span(&footer, 1));
  if (auto read = read_all(file.get(), into, size - sizeof footer); !read) return read.error();
  const std::uint64_t names_size = std::uint64_t{footer.tenant_size} + footer.name_size;
  const std::uint64_t rest = size - sizeof footer;
  if (names_size > std::min(rest, kLongestNames) || footer.size != rest - names_size) {
    return damaged();
  }
  std::string names(names_size, '\0');
  if (auto read = read_all(file.get(), std::as_writable_bytes(std::span(names)), footer.size);
      !read) {
    return read.error();
  }
  if (footer.check != check_of(footer, names)) return damaged();
  ObjectLabel label{
      StoreKey(TenantId(names.substr(0, footer.tenant_size)), names.substr(footer.tenant_size)),
      footer.written_at};
  return ObjectFile(std::move(file), ObjectInfo{footer.size, footer.sha256}, std::move(label));
}

Result<ObjectFile> ObjectFile::open_plain(FileHandle file, std::uint64_t size) {
  PlainFooter footer{};
  if (size < sizeof footer) return damaged();
  const auto into = std::as_writable_bytes(std::span(&footer, 1));
  if (auto read = read_all(file.get(), into, size - sizeof footer); !read) return read.error();
  if (footer.size != size - sizeof footer) return damaged();
  return ObjectFile(std::move(file), ObjectInfo{footer.size, footer.sha256}, std::nullopt);
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
