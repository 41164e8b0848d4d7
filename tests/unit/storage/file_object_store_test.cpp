#include "aiserve/storage/file_object_store.hpp"

#include <fstream>
#include <set>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/run_cases.hpp"
#include "support/temporary_folder.hpp"

using namespace aiserve;
using testing::TemporaryFolder;

namespace {

const Context& kCtx = Context::background();
const StoreKey kKey(TenantId("t"), "object");
constexpr std::uint64_t kEnd = ObjectStore::kToTheEnd;

struct Bench {
  explicit Bench(const TemporaryFolder& folder, std::uint64_t max_size = 1 << 20)
      : store(sim.runtime(), {.root = folder.path(), .max_size = max_size}) {
    sim.start();
  }

  Result<ObjectInfo> put(std::string_view text) {
    const Bytes content = Bytes::copy(text);
    return block_on(sim.runtime(), store.put(kCtx, kKey, content));
  }
  Result<Bytes> get(std::uint64_t offset = 0, std::uint64_t length = kEnd) {
    return block_on(sim.runtime(), store.get(kCtx, kKey, offset, length));
  }

  Result<ObjectList> list(const ObjectPage& page) {
    return block_on(sim.runtime(), store.list(kCtx, page));
  }

  testing::SimRuntime sim;
  FileObjectStore store;
};

/// Of all objects.
ObjectPage all(Bench& bench, int limit) {
  return {.before = bench.sim.clock().wall_now() + std::chrono::hours(1), .limit = limit};
}

/// As many files as the process has open, and no more.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

std::vector<std::string> files(const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    names.push_back(entry.path().string());
  }
  return names;
}

}  // namespace

TEST_CASE("the object store in a folder does what every one has to do") {
  std::vector<std::unique_ptr<TemporaryFolder>> folders;
  testing::run_cases(testing::object_store_cases(), [&](testing::SimRuntime& sim) {
    folders.push_back(std::make_unique<TemporaryFolder>());
    const FileObjectStoreOptions options{.root = folders.back()->path() + "/objects"};
    return std::make_unique<FileObjectStore>(sim.runtime(), options);
  });
}

TEST_CASE("objects survive a restart, and every flipped bit is noticed when all is read") {
  const TemporaryFolder folder;
  REQUIRE(Bench(folder).put("precious").ok());
  Bench bench(folder);
  CHECK(bench.get().value().text() == "precious");
  const std::vector<std::string> stored = files(folder);
  REQUIRE(stored.size() == 1);
  std::ifstream in(stored[0], std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    std::ofstream(stored[0], std::ios::binary) << bad;
    CHECK_MESSAGE(bench.get().error().code() == Errc::data_loss, "flipped at ", at);
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::ofstream(stored[0], std::ios::binary) << good.substr(0, size);
    CHECK_MESSAGE(bench.get(1, 2).error().code() == Errc::data_loss, "cut at ", size);
  }
}

TEST_CASE("what a killed process was writing is gone after the next start, what it holds is not") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Bench bench(folder);
    auto writer = block_on(bench.sim.runtime(), bench.store.create(kCtx, kKey));
    const Bytes part = Bytes::literal("half");
    (void)block_on(bench.sim.runtime(), (*writer)->write(kCtx, part));
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(files(folder).size() == 1);
  Bench bench(folder);
  CHECK(files(folder).empty());
  auto writer = block_on(bench.sim.runtime(), bench.store.create(kCtx, kKey));
  const Bench second(folder);
  const Bytes part = Bytes::literal("whole");
  REQUIRE(block_on(bench.sim.runtime(), (*writer)->write(kCtx, part)).ok());
  CHECK(block_on(bench.sim.runtime(), (*writer)->commit(kCtx)).ok());
  CHECK(bench.get().value().text() == "whole");
}

TEST_CASE("an object over the limit is refused, streamed or not, and leaves nothing") {
  const TemporaryFolder folder;
  Bench bench(folder, 10);
  CHECK(bench.put("0123456789").ok());
  CHECK(bench.put("0123456789x").error().code() == Errc::too_large);
  auto writer = block_on(bench.sim.runtime(), bench.store.create(kCtx, kKey));
  const Bytes part = Bytes::literal("0123456");
  CHECK(block_on(bench.sim.runtime(), (*writer)->write(kCtx, part)).ok());
  CHECK(block_on(bench.sim.runtime(), (*writer)->write(kCtx, part)).error().code() ==
        Errc::too_large);
  const auto commit = block_on(bench.sim.runtime(), (*writer)->commit(kCtx));
  CHECK(commit.error().code() == Errc::invalid_argument);
  CHECK(bench.get().value().text() == "0123456789");
  writer = Error();
  CHECK(files(folder).size() == 1);
}

TEST_CASE("a folder that cannot be used is a configuration error") {
  testing::SimRuntime sim;
  const TemporaryFolder folder;
  CHECK_THROWS_AS(FileObjectStore(sim.runtime(), {}), ConfigError);
  CHECK_THROWS_AS(FileObjectStore(sim.runtime(), {.root = folder.file("a/b")}), ConfigError);
  CHECK_THROWS_AS(FileObjectStore(sim.runtime(), {.root = folder.path(), .max_size = 0}),
                  ConfigError);
  std::ofstream(folder.file("file")) << "x";
  CHECK_THROWS_AS(FileObjectStore(sim.runtime(), {.root = folder.file("file")}), ConfigError);
}

TEST_CASE("a list of more objects than a page looks at has each of them once") {
  const TemporaryFolder folder;
  Bench bench(folder);
  REQUIRE(bench.put("the only real one").ok());
  for (int i = 0; i < 5000; ++i) {
    const std::string number = std::to_string(i);
    std::ofstream(folder.file(std::string(64 - number.size(), '0') + number)) << "no object";
  }
  std::size_t found = 0;
  int pages = 0;
  ObjectPage page = all(bench, 1000);
  do {
    const ObjectList part = bench.list(page).value();
    found += part.keys.size();
    page.after = part.next;
    ++pages;
  } while (!page.after.empty());
  CHECK(found == 1);
  CHECK(pages == 2);
}

TEST_CASE("a file that cannot be opened is left out of a list, and hides no other") {
  const TemporaryFolder folder;
  Bench bench(folder);
  REQUIRE(bench.put("one").ok());
  for (const char first : {'0', 'f'}) {
    const std::string name = folder.file(std::string(64, first));
    std::filesystem::create_symlink(name, name);
  }
  CHECK(bench.list(all(bench, 10)).value().keys.size() == 1);
}

TEST_CASE("pages of a list are as long as they were asked to be, and end") {
  const TemporaryFolder folder;
  Bench bench(folder);
  const Bytes content = Bytes::literal("x");
  for (int i = 0; i < 25; ++i) {
    const StoreKey key(TenantId("t"), std::to_string(i));
    REQUIRE(block_on(bench.sim.runtime(), bench.store.put(kCtx, key, content)).ok());
  }
  std::set<StoreKey> found;
  ObjectPage page = all(bench, 10);
  for (const std::size_t size : {10U, 10U, 5U}) {
    const ObjectList part = bench.list(page).value();
    CHECK(part.keys.size() == size);
    found.insert(part.keys.begin(), part.keys.end());
    page.after = part.next;
  }
  CHECK(page.after.empty());
  CHECK(found.size() == 25);
}

TEST_CASE("a folder that cannot be read is no empty list") {
  const TemporaryFolder folder;
  Bench bench(folder);
  REQUIRE(bench.put("precious").ok());
  {
    const NoMoreFiles none;
    CHECK(bench.list(all(bench, 10)).error().code() == Errc::overloaded);
  }
  CHECK(bench.list(all(bench, 10)).value().keys.size() == 1);
  std::filesystem::remove_all(folder.path());
  CHECK(bench.list(all(bench, 10)).error().code() == Errc::unavailable);
}
