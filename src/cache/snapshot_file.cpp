#include "cache/snapshot_file.hpp"

#include <cstring>
#include <filesystem>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include "cache/byte_reader.hpp"
#include "core/checksum.hpp"

namespace aiserve::inline v0::detail {
namespace {

// Above what any chunk has: one that says more is garbage, and must not cost the memory.
constexpr std::uint64_t kMostChunk = std::uint64_t{2} << 30;

struct Head {
  std::array<char, 8> magic{'a', 'i', 's', 'n', 'a', 'p', '\0', '\0'};
  std::uint64_t version = 1;
  std::uint64_t key = 0;
};

struct ChunkHead {
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
  std::uint64_t checksum = 0;
};

struct EntryHead {
  decide::Expiry expiry{};
  std::int64_t cost = 0;
  std::uint32_t key = 0;
  std::uint32_t labels = 0;
  std::uint64_t value = 0;
  std::uint64_t flags = 0;
};
constexpr std::uint64_t kStructured = 1;
constexpr std::uint64_t kNegative = 2;

std::uint64_t check_of(const DigestKey& key) {
  return Digester(key).add("aiserve cache snapshot").finish().low();
}

std::uint64_t checksum(const ChunkHead& head, std::string_view body) {
  return Checksum().add(head.size).add(head.entries).add(body).finish();
}

template <class T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append(std::string& out, const SavedEntry& entry) {
  const EntryHead head{
      .expiry = entry.expiry,
      .cost = entry.cost,
      .key = static_cast<std::uint32_t>(entry.key.size()),
      .labels = static_cast<std::uint32_t>(entry.labels.size()),
      .value = entry.value.size(),
      .flags = (entry.structured ? kStructured : 0) | (entry.negative ? kNegative : 0)};
  append<EntryHead>(out, head);
  out += entry.key;
  for (const CacheLabel label : entry.labels) append<CacheLabel>(out, label);
  out += entry.value.text();
}

std::string body_of(const SavedChunk& chunk) {
  std::string body;
  append<std::uint64_t>(body, chunk.tenant.view().size());
  body += chunk.tenant.view();
  for (const SavedEntry& entry : chunk.entries) append(body, entry);
  return body;
}

std::optional<SavedEntry> read_entry(ByteReader& in) {
  const auto head = in.read<EntryHead>();
  SavedEntry entry{.key = in.take(head.key).to_string(),
                   .structured = (head.flags & kStructured) != 0,
                   .negative = (head.flags & kNegative) != 0,
                   .expiry = head.expiry,
                   .cost = head.cost};
  const Bytes labels = in.take(std::size_t{head.labels} * sizeof(CacheLabel));
  entry.value = in.take(head.value);
  if (!in.ok()) return std::nullopt;
  entry.labels.resize(head.labels);
  if (!labels.empty()) std::memcpy(entry.labels.data(), labels.data(), labels.size());
  return entry;
}

std::optional<SavedChunk> read_body(const Bytes& body, std::uint64_t entries) {
  ByteReader in(body);
  const auto tenant = in.read<std::uint64_t>();
  SavedChunk chunk{.tenant = TenantId(in.take(tenant).text())};
  for (std::uint64_t i = 0; i < entries; ++i) {
    std::optional<SavedEntry> entry = read_entry(in);
    if (!entry) return std::nullopt;
    chunk.entries.push_back(std::move(*entry));
  }
  if (!in.ok() || !in.rest().empty()) return std::nullopt;
  return chunk;
}

// So that what the name stands for after a power cut is all there.
bool synced(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool done = ::fsync(file) == 0;
  ::close(file);
  return done;
}

Error damaged(const char* what) {
  return Error(Errc::data_loss, "the cache snapshot cannot be used").with_detail(what);
}

/// One pass over the file. Returns the number of entries.
Result<std::size_t> walk(const std::string& path, const DigestKey& key,
                         const std::function<bool(const ChunkHead&, Bytes)>& visit) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error(Errc::not_found, "there is no cache snapshot");
  const auto read = [&in](void* to, std::size_t size) {
    return static_cast<bool>(in.read(static_cast<char*>(to), static_cast<std::streamsize>(size)));
  };
  Head head;
  const Head expected{.key = check_of(key)};
  if (!read(&head, sizeof head)) return damaged("cut");
  if (head.magic != expected.magic || head.version != expected.version) return damaged("version");
  if (head.key != expected.key) return damaged("another digest key");
  std::size_t entries = 0;
  for (;;) {
    ChunkHead chunk;
    if (!read(&chunk, sizeof chunk)) return damaged("cut");
    if (chunk.size > kMostChunk) return damaged("chunk size");
    MutableBytes block(chunk.size);
    if (chunk.size > 0 && !read(block.data(), chunk.size)) return damaged("cut");
    const Bytes body = std::move(block).freeze();
    if (chunk.checksum != checksum(chunk, body.text())) return damaged("checksum");
    if (chunk.size == 0)
      return chunk.entries == entries ? Result<std::size_t>(entries) : damaged("count");
    if (!visit(chunk, body)) return damaged("entries");
    entries += chunk.entries;
  }
}

}  // namespace

SnapshotWriter::SnapshotWriter(std::string path, const DigestKey& key)
    : path_(std::move(path)),
      beside_(path_ + ".new"),
      out_(beside_, std::ios::binary | std::ios::trunc) {
  const Head head{.key = check_of(key)};
  out_.write(reinterpret_cast<const char*>(&head), sizeof head);
}

SnapshotWriter::~SnapshotWriter() {
  if (!out_.is_open() && !written_) return;
  out_.close();
  std::error_code ignored;
  std::filesystem::remove(beside_, ignored);
}

void SnapshotWriter::add(const SavedChunk& chunk) {
  if (chunk.entries.empty()) return;
  const std::string body = body_of(chunk);
  ChunkHead head{.size = body.size(), .entries = chunk.entries.size()};
  head.checksum = checksum(head, body);
  out_.write(reinterpret_cast<const char*>(&head), sizeof head);
  out_.write(body.data(), static_cast<std::streamsize>(body.size()));
  entries_ += chunk.entries.size();
}

Result<std::size_t> SnapshotWriter::finish() {
  ChunkHead end{.entries = entries_};
  end.checksum = checksum(end, {});
  out_.write(reinterpret_cast<const char*>(&end), sizeof end);
  written_ = out_.is_open();
  out_.close();
  std::error_code error;
  if (out_ && synced(beside_)) {
    std::filesystem::rename(beside_, path_, error);
    written_ = static_cast<bool>(error);
    if (!error) return entries_;
  }
  return Error(Errc::unavailable, "the cache snapshot cannot be written")
      .with_detail(error ? error.message() : std::string(std::strerror(errno)));
}

Result<std::size_t> read_snapshot(const std::string& path, const DigestKey& key,
                                  const std::function<void(SavedChunk)>& take) {
  const auto readable = [](const ChunkHead& head, const Bytes& body) {
    return read_body(body, head.entries).has_value();
  };
  Result<std::size_t> whole = walk(path, key, readable);
  if (!whole) return whole;
  return walk(path, key, [&](const ChunkHead& head, const Bytes& body) {
    std::optional<SavedChunk> chunk = read_body(body, head.entries);
    if (chunk) take(std::move(*chunk));
    return chunk.has_value();
  });
}

}  // namespace aiserve::inline v0::detail
