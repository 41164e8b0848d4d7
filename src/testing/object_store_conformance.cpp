#include <array>
#include <set>

#include "testing/conformance.hpp"

namespace aiserve::inline v0::testing {
namespace {

constexpr std::uint64_t kToTheEnd = ObjectStore::kToTheEnd;

Async<void> expect(const Context& ctx, ObjectStore& store, StoreKey key, std::string_view text) {
  const Result<Bytes> got = co_await store.get(ctx, key, 0, kToTheEnd);
  if (!got) co_return got.error();
  co_return require(got->text() == text, "an object has another content than was put");
}

Async<void> keeps_objects(const Context& ctx, ObjectStore& store, const PassTime& /*pass*/) {
  const StoreKey key(kOne, "abc");
  const auto absent = co_await store.get(ctx, key, 0, kToTheEnd);
  if (auto held = require_error(absent, Errc::not_found, "get() of nothing"); !held) co_return held;
  const Bytes content = Bytes::literal("abc");
  const Result<ObjectInfo> put = co_await store.put(ctx, key, content);
  if (!put) co_return put.error();
  // FIPS 180-2, appendix B.1
  if (put->sha256[0] != std::byte{0xba} || put->sha256[31] != std::byte{0xad} || put->size != 3) {
    co_return broken("size or SHA-256 are wrong");
  }
  const Result<ObjectInfo> info = co_await store.info(ctx, key);
  if (!info || info->sha256 != put->sha256 || info->size != 3) co_return broken("info() differs");
  if (auto held = co_await expect(ctx, store, key, "abc"); !held) co_return held;
  const Bytes other = Bytes::literal("other");
  if (auto again = co_await store.put(ctx, key, other); !again) co_return again.error();
  if (auto held = co_await expect(ctx, store, key, "other"); !held) co_return held;
  const Result<bool> removed = co_await store.remove(ctx, key);
  const Result<bool> twice = co_await store.remove(ctx, key);
  if (!removed || !*removed || !twice || *twice) co_return broken("remove() tells wrongly");
  const auto gone = co_await store.info(ctx, key);
  co_return require_error(gone, Errc::not_found, "info() of a removed object");
}

Async<void> keeps_tenants_apart(const Context& ctx, ObjectStore& store, const PassTime& /*pass*/) {
  const StoreKey one(kOne, "same");
  const StoreKey two(kTwo, "same");
  const Bytes content = Bytes::literal("of one");
  if (auto put = co_await store.put(ctx, one, content); !put) co_return put.error();
  const auto foreign = co_await store.get(ctx, two, 0, kToTheEnd);
  if (auto held = require_error(foreign, Errc::not_found, "another tenant's get()"); !held) {
    co_return held;
  }
  const Result<bool> removed = co_await store.remove(ctx, two);
  if (!removed || *removed) co_return broken("another tenant removed the object");
  co_return co_await expect(ctx, store, one, "of one");
}

Async<void> shows_nothing_before_the_commit(const Context& ctx, ObjectStore& store,
                                            const PassTime& /*pass*/) {
  const StoreKey key(kOne, "streamed");
  const Bytes old = Bytes::literal("old");
  if (auto put = co_await store.put(ctx, key, old); !put) co_return put.error();
  const std::string part(std::size_t{256} << 10, 'p');
  const Bytes bytes = Bytes::copy(part);
  {
    auto dropped = co_await store.create(ctx, key);
    if (!dropped) co_return dropped.error();
    if (auto written = co_await (*dropped)->write(ctx, bytes); !written) co_return written;
  }
  auto writer = co_await store.create(ctx, key);
  if (!writer) co_return writer.error();
  for (int i = 0; i < 4; ++i) {
    if (auto written = co_await (*writer)->write(ctx, bytes); !written) co_return written;
  }
  if (auto held = co_await expect(ctx, store, key, "old"); !held) co_return held;
  const Result<ObjectInfo> info = co_await (*writer)->commit(ctx);
  if (!info) co_return info.error();
  if (info->size != 4 * part.size()) co_return broken("the size of a streamed object is wrong");
  const auto late = co_await (*writer)->write(ctx, bytes);
  if (auto held = require_error(late, Errc::invalid_argument, "write() after commit()"); !held) {
    co_return held;
  }
  co_return co_await expect(ctx, store, key, part + part + part + part);
}

Async<void> reads_parts(const Context& ctx, ObjectStore& store, const PassTime& /*pass*/) {
  const StoreKey key(kOne, "parts");
  const Bytes content = Bytes::literal("0123456789");
  if (auto put = co_await store.put(ctx, key, content); !put) co_return put.error();
  struct Part {
    std::uint64_t offset;
    std::uint64_t length;
    std::string_view text;
  };
  constexpr std::array<Part, 6> kParts{
      {{0, 3, "012"}, {8, 5, "89"}, {10, 1, ""}, {99, 9, ""}, {4, 0, ""}, {9, kToTheEnd, "9"}}};
  for (const Part& part : kParts) {
    const Result<Bytes> got = co_await store.get(ctx, key, part.offset, part.length);
    if (!got) co_return got.error();
    if (got->text() != part.text) co_return broken("a part has other bytes");
  }
  co_return success();
}

Async<void> takes_any_bytes(const Context& ctx, ObjectStore& store, const PassTime& /*pass*/) {
  using namespace std::string_literals;
  const std::vector<std::string> names{"../../escape", "/etc/passwd", "\0"s, all_bytes(), "."};
  for (const std::string& name : names) {
    const StoreKey key(TenantId(), name);
    const Bytes content = Bytes::copy(all_bytes() + name);
    if (auto put = co_await store.put(ctx, key, content); !put) co_return put.error();
  }
  for (const std::string& name : names) {
    const StoreKey key(TenantId(), name);
    if (auto held = co_await expect(ctx, store, key, all_bytes() + name); !held) co_return held;
  }
  const StoreKey empty(kOne, "empty");
  const Bytes nothing;
  if (auto put = co_await store.put(ctx, empty, nothing); !put) co_return put.error();
  if (auto held = co_await expect(ctx, store, empty, ""); !held) co_return held;
  const StoreKey bad(kOne, "");
  const auto refused = co_await store.put(ctx, bad, nothing);
  co_return require_error(refused, Errc::invalid_argument, "an empty key");
}

Async<void> lists_pages(const Context& ctx, ObjectStore& store, const PassTime& pass) {
  const Bytes content = Bytes::literal("x");
  std::set<StoreKey> expected;
  for (int i = 0; i < 7; ++i) {
    const StoreKey key(i % 2 == 0 ? kOne : kTwo, "list/" + std::to_string(i) + all_bytes());
    if (auto put = co_await store.put(ctx, key, content); !put) co_return put.error();
    expected.insert(key);
  }
  const StoreKey other(kOne, "lisp");
  if (auto put = co_await store.put(ctx, other, content); !put) co_return put.error();
  const WallTime long_ago = WallTime() + std::chrono::hours(1);
  ObjectPage page{.prefix = "list/", .before = long_ago, .limit = 2};
  const Result<ObjectList> old = co_await store.list(ctx, page);
  if (!old && old.error().code() == Errc::unimplemented) co_return success();
  if (!old || !old->keys.empty()) co_return broken("list() does not look at the age");
  pass(std::chrono::milliseconds(5));
  page.before = WallTime::max();
  std::set<StoreKey> found;
  do {
    const Result<ObjectList> some = co_await store.list(ctx, page);
    if (!some) co_return some.error();
    if (some->keys.size() > 2) co_return broken("a page is longer than it may be");
    found.insert(some->keys.begin(), some->keys.end());
    page.after = some->next;
  } while (!page.after.empty());
  if (found != expected) co_return broken("list() has other objects than were put");
  page.limit = 0;
  const Result<ObjectList> refused = co_await store.list(ctx, page);
  co_return require_error(refused, Errc::invalid_argument, "a page without objects");
}

constexpr std::array<StoreCase<ObjectStore>, 6> kCases{{
    {"keeps objects and their hashes", &keeps_objects},
    {"keeps equal keys of two tenants apart", &keeps_tenants_apart},
    {"shows nothing before the commit", &shows_nothing_before_the_commit},
    {"reads parts", &reads_parts},
    {"takes any bytes as key and content", &takes_any_bytes},
    {"lists what is old enough, page by page", &lists_pages},
}};

}  // namespace

std::span<const StoreCase<ObjectStore>> object_store_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
