// TenantPlaces: how many requests of each tenant, or of each client that has none, are in flight.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "core/keyed_hash.hpp"

namespace aiserve::inline v0::http::detail {

// *Thread safety:* any thread; a Pass: one. It outlives its passes.
class TenantPlaces {
  using Counts = std::map<std::string, std::size_t, std::less<>>;
  struct Shard {
    mutable std::mutex mutex;
    Counts taken;
  };

 public:
  // Gives its place back when it goes.
  class Pass {
   public:
    Pass() noexcept = default;
    Pass(Pass&& other) noexcept
        : shard_(std::exchange(other.shard_, nullptr)), holder_(other.holder_) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(shard_, other.shard_);
      std::swap(holder_, other.holder_);
      return *this;
    }
    ~Pass() {
      if (shard_ != nullptr) give_back();
    }
    explicit operator bool() const noexcept { return shard_ != nullptr; }

   private:
    friend class TenantPlaces;
    void give_back() noexcept;

    Shard* shard_ = nullptr;
    Counts::iterator holder_;
  };

  // One of `limit`, at least 1; an empty pass if all are taken. `kind` tells apart names that may
  // be the same.
  Pass take(char kind, std::string_view name, std::size_t limit);
  // Who holds any.
  std::size_t holders() const;

 private:
  static constexpr std::size_t kShards = 16;

  const v0::detail::KeyedHash hash_;
  std::array<Shard, kShards> shards_;
};

}  // namespace aiserve::inline v0::http::detail
