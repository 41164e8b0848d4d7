/// ObjectStore: the port to large values that are written once and read in parts: payloads and
/// results that are too large for a queue, models, uploads.
///
/// An object appears whole or not at all: readers see the one before until a commit, and what was
/// not committed leaves no trace. Every object carries the SHA-256 of its content.
/// *Thread safety:* called on I/O threads of one Runtime, from several at once; a writer by one
/// caller at a time.
/// *Errors:* not_found, invalid_argument (key), too_large, overloaded (no room on disk), data_loss
/// (the content does not match its hash), unavailable, and those of the Context.
///
///     Result<std::unique_ptr<ObjectWriter>> writer = co_await store.create(ctx, key);
///     Result<void> written = co_await (*writer)->write(ctx, part);
///     Result<ObjectInfo> kept = co_await (*writer)->commit(ctx);
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/core/bytes.hpp>
#include <aiserve/core/deadline.hpp>
#include <aiserve/storage/store_key.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

using Sha256 = std::array<std::byte, 32>;

struct ObjectInfo {
  std::uint64_t size = 0;  ///< bytes
  Sha256 sha256{};         ///< of the content
};

/// Which objects to list, of all tenants: for clean-ups, never for a tenant.
struct ObjectPage {
  std::string prefix{};  ///< of their names
  WallTime before{};     ///< those committed before then
  std::string after{};   ///< ObjectList::next of the page before; empty: the first one
  int limit = 1000;      ///< 1 to 1000
};

struct ObjectList {
  std::vector<StoreKey> keys{};  ///< in no order; may be fewer than the limit, or none
  std::string next{};            ///< empty: there are no more pages
};

class ObjectWriter {
 public:
  /// Without commit() the object is never seen.
  virtual ~ObjectWriter() = default;
  virtual Async<void> write(const Context& ctx, const Bytes& part) = 0;
  /// Durable, and visible to every later reader, once this succeeds. Ends the writer.
  virtual Async<ObjectInfo> commit(const Context& ctx) = 0;
};

class ObjectStore {
 public:
  static constexpr std::uint64_t kToTheEnd = ~std::uint64_t{0};

  virtual ~ObjectStore() = default;

  /// Replaces what is there, at the commit.
  virtual Async<std::unique_ptr<ObjectWriter>> create(const Context& ctx, const StoreKey& key) = 0;
  /// create, write, commit.
  virtual Async<ObjectInfo> put(const Context& ctx, const StoreKey& key, const Bytes& content) = 0;
  /// `length` bytes from `offset`, less at the end, none behind it. Reading all of it checks the
  /// hash.
  virtual Async<Bytes> get(const Context& ctx, const StoreKey& key, std::uint64_t offset,
                           std::uint64_t length) = 0;
  virtual Async<ObjectInfo> info(const Context& ctx, const StoreKey& key) = 0;
  /// True if it was there.
  virtual Async<bool> remove(const Context& ctx, const StoreKey& key) = 0;
  /// What is there during all pages is on one of them. Default: unimplemented.
  virtual Async<ObjectList> list(const Context& /*ctx*/, const ObjectPage& /*page*/) {
    co_return Error(Errc::unimplemented, "this object store does not list what it keeps");
  }
};

}  // namespace aiserve::inline v0
