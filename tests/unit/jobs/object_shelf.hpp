// An ObjectStore in memory that a test can look into and that fails when it is told to.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "aiserve/core/clock.hpp"
#include "aiserve/storage/object_store.hpp"

namespace aiserve::inline v0::testing {

class ObjectShelf final : public ObjectStore {
 public:
  explicit ObjectShelf(const Clock& clock) : clock_(clock) {}

  Async<std::unique_ptr<ObjectWriter>> create(const Context&, const StoreKey&) override {
    co_return Error(Errc::unimplemented, "not here");
  }
  Async<ObjectInfo> put(const Context& ctx, const StoreKey& key, const Bytes& content) override {
    if (const Result<void> alive = ctx.check(clock_.now()); !alive) co_return alive.error();
    if (down) co_return Error(Errc::unavailable, "the shelf is down");
    if (refuses_puts) co_return *refuses_puts;
    objects[key] = {content, clock_.wall_now()};
    co_return ObjectInfo{content.size(), {}};
  }
  Async<Bytes> get(const Context&, const StoreKey& key, std::uint64_t offset,
                   std::uint64_t length) override {
    ++gets;
    if (down || (failing_gets > 0 && failing_gets-- > 0))
      co_return Error(Errc::unavailable, "the shelf is down");
    const auto found = objects.find(key);
    if (found == objects.end()) co_return Error(Errc::not_found, "no such object");
    co_return found->second.content.slice(offset, length);
  }
  Async<ObjectInfo> info(const Context&, const StoreKey& key) override {
    if (!objects.contains(key)) co_return Error(Errc::not_found, "no such object");
    co_return ObjectInfo{objects[key].content.size(), {}};
  }
  Async<bool> remove(const Context& ctx, const StoreKey& key) override {
    if (on_remove) on_remove();
    if (const Result<void> alive = ctx.check(clock_.now()); !alive) co_return alive.error();
    if (down) co_return Error(Errc::unavailable, "the shelf is down");
    if (key.name() == immutable) co_return Error(Errc::unavailable, "not permitted");
    co_return objects.erase(key) != 0;
  }
  /// Pages of one.
  Async<ObjectList> list(const Context&, const ObjectPage& page) override {
    ++lists;
    if (down) co_return Error(Errc::unavailable, "the shelf is down");
    ObjectList found;
    const auto from = objects.upper_bound(last_);
    const auto next = page.after.empty() ? objects.begin() : from;
    if (next == objects.end()) co_return found;
    last_ = next->first;
    const bool wanted =
        last_.name().starts_with(page.prefix) && next->second.written_at < page.before;
    if (wanted) found.keys.push_back(last_);
    found.next = "more";
    co_return found;
  }

  struct Object {
    Bytes content;
    WallTime written_at;
  };
  std::map<StoreKey, Object> objects;
  bool down = false;
  std::optional<Error> refuses_puts;
  std::string immutable;  // the name of one that cannot be removed
  std::function<void()> on_remove;
  int failing_gets = 0;
  int gets = 0;
  int lists = 0;

 private:
  const Clock& clock_;
  StoreKey last_;
};

}  // namespace aiserve::inline v0::testing
