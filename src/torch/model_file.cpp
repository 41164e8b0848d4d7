#include "torch/model_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aiserve::inline v0::detail {
namespace {

class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

Error from_errno(int code) {
  return Error(code == ENOENT ? Errc::not_found : Errc::unavailable,
               std::generic_category().message(code));
}

Result<std::size_t> size_of_file(int fd, std::size_t max_size) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return from_errno(errno);
  if (!S_ISREG(info.st_mode)) return Error(Errc::invalid_argument, "not a regular file");
  if (info.st_size == 0) return Error(Errc::invalid_argument, "the file is empty");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > max_size) {
    return Error(Errc::invalid_argument, "larger than " + std::to_string(max_size) + " bytes");
  }
  return size;
}

char lower_hex(char c) noexcept {
  return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_hex(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

Result<Bytes> read_file(const std::string& path, std::size_t max_size) {
  const File file(path);
  if (file.fd() < 0) return from_errno(errno);
  const Result<std::size_t> size = size_of_file(file.fd(), max_size);
  if (!size) return size.error();

  MutableBytes block(*size);
  std::size_t filled = 0;
  while (filled < *size) {
    const ssize_t got = ::read(file.fd(), block.data() + filled, *size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno(errno);
    if (got == 0) return Error(Errc::unavailable, "the file shrank while it was read");
    filled += static_cast<std::size_t>(got);
  }
  return std::move(block).freeze();
}

std::string sha256_hex(ByteView data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw ConfigError("OpenSSL does not offer SHA-256");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 0xFU];
  }
  return hex;
}

Result<std::string> parse_sha256(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), lower_hex);
  if (text.size() == 64 && std::all_of(text.begin(), text.end(), is_hex)) return text;
  return Error(Errc::invalid_argument, "sha256 must be 64 hex digits");
}

}  // namespace aiserve::inline v0::detail
