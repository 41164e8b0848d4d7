#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "unit/cache/memo_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::MemoBench;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "aiserve-snapshot-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file() const { return path_ / "cache.snapshot"; }

 private:
  std::filesystem::path path_;
};

CacheOptions stable(std::string_view secret = "the same in every process") {
  return {.digest_key = DigestKey::from_secret(secret)};
}

struct Process : MemoBench {
  explicit Process(MemoOptions options = {}, CacheOptions cache_options = stable())
      : MemoBench(exact(std::move(options)), std::move(cache_options)) {
    memo.tag_with([](const std::string& input) { return std::vector<std::string>{input}; });
  }
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Two tenants' results and two plain entries, one of them large.
void fill(Process& process) {
  process.get("flour").value();
  process.get("flour", {}, "globex").value();
  const TenantId acme("acme");
  REQUIRE(process.cache.put(acme, "plain", Bytes::literal("value")).ok());
  REQUIRE(process.cache.put(acme, "", Bytes::copy(std::string(5'000, 'x'))).ok());
}

}  // namespace

TEST_CASE("what a cache saved another one restores, for every tenant") {
  const Folder folder;
  {
    Process process;
    fill(process);
    CHECK(process.cache.save(folder.file()).value() == 4);
  }
  Process next;
  CHECK(next.cache.restore(folder.file()).value() == 4);
  CHECK(next.get("flour").value() == "cake");
  CHECK(next.get("flour", {}, "globex").value() == "cake");
  CHECK(next.oven.begun == 0);
  const TenantId acme("acme");
  CHECK(next.cache.find(acme, "plain")->value.text() == "value");
  CHECK(next.cache.find(acme, "")->value.size() == 5'000);
  CHECK_FALSE(next.cache.find(TenantId("globex"), "plain").has_value());
  CHECK(next.log.find("cache snapshot restored") != std::string::npos);
}

TEST_CASE("an empty cache makes a snapshot, too") {
  const Folder folder;
  CHECK(Process().cache.save(folder.file()).value() == 0);
  CHECK(Process().cache.restore(folder.file()).value() == 0);
}

TEST_CASE("what was restored expires when it would have, and is found by its tags") {
  const Folder folder;
  const MemoOptions options{.ttl = 10s};
  {
    Process process(options);
    process.get("flour").value();
    process.get("rye").value();
    process.sim.advance(2s);
    process.cache.save(folder.file()).value();
  }
  Process next(options);
  next.sim.advance(5s);
  CHECK(next.cache.restore(folder.file()).value() == 2);
  next.cache.invalidate_tag(TenantId("acme"), "rye");
  CHECK(next.memo.find(next.context(), "flour").has_value());
  CHECK_FALSE(next.memo.find(next.context(), "rye").has_value());
  next.sim.advance(5s);
  CHECK_FALSE(next.memo.find(next.context(), "flour").has_value());

  Process late(options);
  late.sim.advance(10s);
  CHECK(late.cache.restore(folder.file()).value() == 0);
}

TEST_CASE("what was dead is not saved") {
  const Folder folder;
  Process process;
  fill(process);
  process.cache.invalidate_tenant(TenantId("acme"));
  CHECK(process.cache.save(folder.file()).value() == 1);
}

TEST_CASE("a snapshot that is cut or has a flipped bit is not used at all, and the log says so") {
  const Folder folder;
  {
    Process process;
    fill(process);
    process.cache.save(folder.file()).value();
  }
  const std::string good = read_file(folder.file());
  Process next;
  const auto refused = [&](const std::string& content) {
    write_file(folder.file(), content);
    const Result<std::size_t> restored = next.cache.restore(folder.file());
    return !restored && restored.error().code() == Errc::data_loss &&
           next.cache.snapshot().entries == 0;
  };
  CHECK(refused("x"));
  CHECK(next.log.find("the cache starts cold") != std::string::npos);
  for (std::size_t size = 0; size < good.size(); size += size < 600 ? 1 : 61) {
    CHECK_MESSAGE(refused(good.substr(0, size)), size);
  }
  for (std::size_t bit = 0; bit < 8 * good.size(); bit += bit < 4'000 ? 1 : 97) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    CHECK_MESSAGE(refused(bad), bit);
  }
  write_file(folder.file(), good);
  CHECK(next.cache.restore(folder.file()).value() == 4);
}

TEST_CASE("a snapshot of another digest key starts cold, and so does none") {
  const Folder folder;
  {
    Process process;
    fill(process);
    process.cache.save(folder.file()).value();
  }
  Process other({}, stable("quite another secret"));
  CHECK(other.cache.restore(folder.file()).error().code() == Errc::data_loss);
  CHECK(other.cache.restore(folder.file() + "x").error().code() == Errc::not_found);
  CHECK(other.log.find("the cache starts cold") != std::string::npos);
  MemoBench plain;
  CHECK(plain.cache.save(folder.file()).error().code() == Errc::invalid_argument);
  CHECK(plain.cache.restore(folder.file()).error().code() == Errc::invalid_argument);
}

TEST_CASE("a snapshot that cannot be written leaves the old one") {
  const Folder folder;
  Process process;
  fill(process);
  process.cache.save(folder.file()).value();
  std::filesystem::create_directory(folder.file() + ".new");
  CHECK(process.cache.save(folder.file()).error().code() == Errc::unavailable);
  CHECK(Process().cache.restore(folder.file()).value() == 4);
  CHECK(process.cache.save(folder.file() + "/nowhere/x").error().code() == Errc::unavailable);
}
