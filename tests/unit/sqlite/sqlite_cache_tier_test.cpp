#include "aiserve/sqlite/sqlite_cache_tier.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/testing/cache_tier_conformance.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "unit/cache/memo_bench.hpp"

using namespace aiserve;

namespace {

const TenantId kTenant("t");

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "aiserve-cache-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file() const { return path_ / "cache.db"; }

 private:
  std::filesystem::path path_;
};

// A Runtime and a tier over a file: what a process is, started again and again.
struct Process {
  explicit Process(const Folder& folder, std::size_t capacity = std::size_t{8} << 20)
      : telemetry({.log_sink = [this](LogLevel,
                                      std::string_view line) { log.append(line).append("\n"); }}),
        sim({.telemetry = &telemetry}),
        tier(sim.runtime(), {.path = folder.file(), .capacity = capacity}) {
    sim.start();
  }

  Result<void> put(std::string_view key, std::string_view value) {
    const std::vector<TierEntry> entries{
        TierEntry(TierKey(kTenant, Bytes::copy(key)), Bytes::copy(value), WallTime::max())};
    return block_on(sim.runtime(), tier.put(Context::background(), entries));
  }
  Result<std::optional<Bytes>> get(std::string_view key) {
    const std::vector<TierKey> keys{TierKey(kTenant, Bytes::copy(key))};
    const Result<TierValues> values =
        block_on(sim.runtime(), tier.get(Context::background(), keys));
    if (!values) return values.error();
    return values->front();
  }
  std::string text(std::string_view key) {
    const Result<std::optional<Bytes>> value = get(key);
    if (!value) return "error: " + value.error().to_string();
    return *value ? (*value)->to_string() : "absent";
  }

  std::string log;
  Telemetry telemetry;
  testing::SimRuntime sim;
  SqliteCacheTier tier;
};

std::string value_of(int i) { return std::string(200, static_cast<char>('a' + i % 26)); }

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace

TEST_CASE("the tier in SQLite does what every tier has to do") {
  for (const testing::CacheTierCase& one : testing::cache_tier_cases()) {
    const Folder folder;
    Process process(folder);
    const Result<void> held =
        block_on(process.sim.runtime(), one.run(Context::background(), process.tier));
    CHECK_MESSAGE(held.ok(), one.name, ": ", (held ? "" : held.error().to_string()));
  }
}

TEST_CASE("what was put survives a restart") {
  const Folder folder;
  REQUIRE(Process(folder).put("key", "value").ok());
  CHECK(Process(folder).text("key") == "value");
}

TEST_CASE("a kill -9 in the middle of writing loses no row that had been there, and no row lies") {
  const Folder folder;
  REQUIRE(Process(folder).put("before", "the kill").ok());
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Process process(folder);
    for (int i = 0;; ++i) {
      if (!process.put("row " + std::to_string(i), value_of(i)).ok()) ::_exit(1);
      if (::write(pipe[1], "x", 1) != 1) ::_exit(1);
    }
  }
  ::close(pipe[1]);
  std::array<char, 1> written{};
  int rows = 0;
  while (rows < 300 && ::read(pipe[0], written.data(), 1) == 1) ++rows;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pipe[0]);
  REQUIRE(rows == 300);

  Process process(folder);
  CHECK(process.text("before") == "the kill");
  int found = 0;
  for (int i = 0; i < rows; ++i) {
    const std::string text = process.text("row " + std::to_string(i));
    if (text != "absent") CHECK(text == value_of(i));
    found += text == value_of(i) ? 1 : 0;
  }
  CHECK_MESSAGE(found == rows, "the process died, the machine did not: nothing is lost");
  CHECK(process.put("after", "the kill").ok());
  CHECK(process.log.find("set aside") == std::string::npos);
}

TEST_CASE(
    "a row with a flipped bit is absent, and so are rows of a file that is damaged all over") {
  const Folder folder;
  {
    Process process(folder);
    for (int i = 0; i < 40; ++i) REQUIRE(process.put("row " + std::to_string(i), value_of(i)).ok());
  }
  const std::string good = read_file(folder.file());
  REQUIRE(good.size() > 8'192);
  int lost = 0;
  for (std::size_t at = 17; at < good.size(); at += 331) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    write_file(folder.file(), bad);
    Process process(folder);
    for (int i = 0; i < 40; ++i) {
      const Result<std::optional<Bytes>> value = process.get("row " + std::to_string(i));
      // The first call that meets a damaged page may fail; none returns what was not put.
      if (value && *value) CHECK((*value)->text() == value_of(i));
      lost += value && *value ? 0 : 1;
    }
    CHECK_MESSAGE(process.put("new", "row").ok(), "flipped at ", at);
    CHECK(process.text("new") == "row");
  }
  CHECK(lost > 0);
}

TEST_CASE("a file that is none is set aside with a log line, and a new one begun") {
  for (const std::string& content :
       {std::string(20'000, 'x'), std::string("SQLite format 3\0 and no more", 28)}) {
    const Folder folder;
    write_file(folder.file(), content);
    Process process(folder);
    CHECK(process.text("key") == "absent");
    CHECK(process.put("key", "value").ok());
    CHECK(process.text("key") == "value");
    CHECK(process.log.find("cache file set aside") != std::string::npos);
    CHECK(read_file(folder.file() + ".broken") == content);
  }
}

TEST_CASE("a truncated file is noticed, and the tier goes on") {
  const Folder folder;
  {
    Process process(folder);
    for (int i = 0; i < 200; ++i) {
      REQUIRE(process.put("row " + std::to_string(i), value_of(i)).ok());
    }
  }
  const std::string good = read_file(folder.file());
  write_file(folder.file(), good.substr(0, good.size() / 2));
  Process process(folder);
  for (int i = 0; i < 200; ++i) {
    const Result<std::optional<Bytes>> value = process.get("row " + std::to_string(i));
    if (value && *value) CHECK((*value)->text() == value_of(i));
  }
  CHECK(process.put("new", "row").ok());
  CHECK(process.text("new") == "row");
}

TEST_CASE("a full cache forgets what was put first, and the file keeps its size") {
  const Folder folder;
  Process process(folder, std::size_t{256} << 10);
  for (int i = 0; i < 5'000; ++i) {
    REQUIRE_MESSAGE(process.put("row " + std::to_string(i), value_of(i)).ok(), i);
  }
  CHECK(process.text("row 0") == "absent");
  CHECK(process.text("row 4999") == value_of(4'999));
  CHECK(std::filesystem::file_size(folder.file()) <= (std::size_t{264} << 10));
  REQUIRE(process.put("huge", std::string(200'000, 'h')).ok());
  CHECK(process.text("huge") == "absent");
  CHECK(process.text("row 4999") == value_of(4'999));
}

TEST_CASE("a disk that is full fails writes, not reads, and all is well when there is room again") {
  const Folder folder;
  Process process(folder);
  REQUIRE(process.put("before", "full").ok());
  // To this process the disk ends where files may not grow any more.
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit full = old;
  full.rlim_cur = 40'000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &full) == 0);
  Result<void> put = success();
  for (int i = 0; i < 100 && put; ++i) put = process.put("row " + std::to_string(i), value_of(i));
  const std::string read = process.text("before");
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, handler);

  REQUIRE_FALSE(put.ok());
  CHECK(put.error().code() == Errc::unavailable);
  CHECK(read == "full");
  CHECK(process.put("after", "room").ok());
  CHECK(process.text("after") == "room");
  CHECK(process.text("row 0") == value_of(0));
}

TEST_CASE("a file that another process has is unavailable, not shared") {
  const Folder folder;
  Process first(folder);
  REQUIRE(first.put("key", "value").ok());
  Process second(folder);
  CHECK(second.get("key").error().code() == Errc::unavailable);
  CHECK(first.text("key") == "value");
}

TEST_CASE("a path that cannot be opened is unavailable, and its name stays in the log") {
  const Folder folder;
  Process process(folder);
  std::filesystem::create_directory(folder.file());
  const Result<void> put = process.put("key", "value");
  REQUIRE_FALSE(put.ok());
  CHECK(put.error().code() == Errc::unavailable);
  CHECK(put.error().message().find(folder.file()) == std::string::npos);
}

TEST_CASE("a memoized result is found in the file by the next process, unless it was invalidated") {
  const Folder folder;
  const auto computed = [&](const std::function<void(Cache&)>& then) {
    testing::MemoBench bench(testing::MemoBench::exact({}), {.digest_key = DigestKey(1, 2)});
    SqliteCacheTier tier(bench.sim.runtime(), {.path = folder.file()});
    bench.cache.add_tier(tier);
    CHECK(bench.get().value() == "cake");
    bench.sim.advance(std::chrono::seconds(1));
    then(bench.cache);
    bench.sim.shutdown();
    return bench.oven.begun == 1;
  };
  const auto nothing = [](Cache&) {};
  CHECK(computed(nothing));
  CHECK_FALSE(computed(nothing));
  CHECK_FALSE(computed([](Cache& cache) { cache.invalidate_namespace("bakery"); }));
  // The clock of a new process begins anew here, so the invalidation is ahead of all that is born.
  CHECK(computed(nothing));
}

TEST_CASE("options out of range are refused") {
  testing::SimRuntime sim;
  CHECK_THROWS_AS(SqliteCacheTier(sim.runtime(), {}), ConfigError);
  CHECK_THROWS_AS(SqliteCacheTier(sim.runtime(), {.path = "x", .capacity = 1}), ConfigError);
  CHECK_THROWS_AS(
      SqliteCacheTier(sim.runtime(), {.path = "x", .busy_timeout = std::chrono::hours(1)}),
      ConfigError);
}
