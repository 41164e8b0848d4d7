/// Memo: an operation whose results are kept in a Cache, made by Cache::memoize().
///
/// Concurrent calls with equal input of one tenant share one run of the loader (a flight), which
/// owns copies of the input and of its Context: the deadline is the latest of the callers', it is
/// cancelled when the last of them has left. A caller waits until its own deadline. An error goes
/// to all who wait and is not kept, unless MemoOptions::negative_ttl says so. The loader outlives
/// neither the Memo's Cache nor what it refers to: construct that before. *Thread safety:* the
/// call: any I/O thread of the Runtime; the rest: any thread. *Errors:* what the loader returned
/// (an exception: internal), overloaded (too many wait, or load), not_found (only_if_cached),
/// unavailable (shutting down), and those of the caller's Context.
///
///     auto classify = cache.memoize<Tensor>("classifier", [&](const Context& flight,
///                                                             const Tensor& image) {
///       return batcher.infer(flight, image);
///     });
///     Result<Tensor> scores = co_await classify(ctx, image);
#pragma once

#include <aiserve/cache/cache_control.hpp>
#include <aiserve/cache/codec.hpp>
#include <aiserve/cache/digest.hpp>
#include <aiserve/cache/memo_options.hpp>
#include <aiserve/core/async.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0 {

namespace detail {

class MemoCore;

/// What a flight runs: the loader with its own copy of the input.
class MemoSource {
 public:
  virtual ~MemoSource() = default;
  virtual Async<Bytes> load(const Context& flight) = 0;
  virtual std::vector<std::string> tags() const = 0;
};

struct MemoVersion;

/// The name of a result.
class MemoKey {
 public:
  MemoKey(const MemoVersion& of, const Digest& result) noexcept : version(&of), digest(result) {}

  const MemoVersion* version;
  Digest digest;
};

/// What the cache found.
class MemoLookup {
 public:
  enum class Verdict : std::uint8_t { serve, serve_and_refresh, load };
  MemoLookup(Verdict what, const MemoKey& of, const CacheControl& asked) noexcept
      : verdict(what), key(of), control(asked) {}

  Verdict verdict;
  MemoKey key;
  CacheControl control;
  /// What to serve, or what stands in for an error.
  std::optional<Bytes> value;
  /// Instead of loading.
  std::optional<Error> error;
};

/// The part of a Memo that knows no types.
class MemoHandle {
 public:
  using MakeSource = std::function<std::shared_ptr<MemoSource>()>;

  explicit MemoHandle(std::shared_ptr<MemoCore> core) noexcept : core_(std::move(core)) {}

  const MemoVersion& version() const noexcept;
  static Digester digester(const MemoVersion& version) noexcept;
  MemoLookup look_up(const Context& ctx, const MemoKey& key, const CacheControl& control) const;
  Async<Bytes> load(const Context& ctx, const MemoLookup& lookup, const MakeSource& source) const;
  void refresh(const Context& ctx, const MemoLookup& lookup, const MakeSource& source) const;
  bool erase(const TenantId& tenant, const Digest& digest) const;
  void set_version(std::string version) const;
  void invalidate() const;

 private:
  std::shared_ptr<MemoCore> core_;
};

template <class T>
T owned(const T& value) {
  if constexpr (requires {
                  { value.compact() } -> std::same_as<T>;
                }) {
    return value.compact();
  } else {
    return value;
  }
}

}  // namespace detail

template <class Value, class Input>
class Memo {
 public:
  using Loader = std::function<Async<Value>(const Context&, const Input&)>;
  using Tags = std::function<std::vector<std::string>(const Input&)>;

  Memo(detail::MemoHandle handle, Loader loader)
      : handle_(std::move(handle)), wiring_(std::make_shared<Wiring>(std::move(loader))) {}

  Async<Value> operator()(const Context& ctx, const Input& input, CacheControl control = {}) const;
  /// What is there and not stale, without waiting or computing.
  std::optional<Value> find(const Context& ctx, const Input& input) const;

  /// At wiring: tags for results of that input, by which Cache::invalidate_tag() finds them.
  Memo& tag_with(Tags tags) {
    wiring_->tags = std::move(tags);
    return *this;
  }
  /// From now on results of another version are computed and found.
  void set_version(std::string version) const { handle_.set_version(std::move(version)); }
  /// Forgets one result; a computation under way is not kept. True if it was there.
  bool erase(const TenantId& tenant, const Input& input) const {
    return handle_.erase(tenant, key(input).digest);
  }
  /// Forgets all results of all tenants, in O(1).
  void invalidate() const { handle_.invalidate(); }
  /// Of the input, the name and the version: also good as an ETag.
  Digest digest(const Input& input) const { return key(input).digest; }

 private:
  struct Wiring {
    explicit Wiring(Loader given) : loader(std::move(given)) {}
    Loader loader;
    Tags tags;
  };
  class Source;

  detail::MemoKey key(const Input& input) const {
    const detail::MemoVersion& version = handle_.version();
    return {version, handle_.digester(version).add(input).finish()};
  }
  static bool allowed(const Input& input) {
    if constexpr (requires {
                    { cache_allows(input) } -> std::same_as<bool>;
                  }) {
      return cache_allows(input);
    } else {
      return true;
    }
  }

  detail::MemoHandle handle_;
  std::shared_ptr<Wiring> wiring_;
};

template <class Value, class Input>
class Memo<Value, Input>::Source final : public detail::MemoSource {
 public:
  Source(std::shared_ptr<Wiring> wiring, const Input& input)
      : wiring_(std::move(wiring)), input_(detail::owned(input)) {}

  Async<Bytes> load(const Context& flight) override {
    Result<Value> value = co_await wiring_->loader(flight, input_);
    if (!value) co_return std::move(value).error();
    co_return Codec<Value>::encode(*value);
  }
  std::vector<std::string> tags() const override {
    return wiring_->tags ? wiring_->tags(input_) : std::vector<std::string>();
  }

 private:
  std::shared_ptr<Wiring> wiring_;
  const Input input_;
};

template <class Value, class Input>
Async<Value> Memo<Value, Input>::operator()(const Context& ctx, const Input& input,
                                            CacheControl control) const {
  using Verdict = detail::MemoLookup::Verdict;
  if (!allowed(input)) co_return co_await wiring_->loader(ctx, input);
  const detail::MemoKey wanted = key(input);
  detail::MemoLookup found = handle_.look_up(ctx, wanted, control);
  if (found.error) co_return *std::move(found.error);
  const auto make = [&] { return std::make_shared<Source>(wiring_, input); };
  if (found.verdict != Verdict::load) {
    if (Result<Value> value = Codec<Value>::decode(*found.value); value) {
      if (found.verdict == Verdict::serve_and_refresh) handle_.refresh(ctx, found, make);
      co_return value;
    }
    // Stored by another program under the same name: computed anew.
    found = detail::MemoLookup(Verdict::load, wanted, control);
  }
  const detail::MemoHandle::MakeSource source = make;
  const Result<Bytes> loaded = co_await handle_.load(ctx, found, source);
  if (!loaded) co_return loaded.error();
  co_return Codec<Value>::decode(*loaded);
}

template <class Value, class Input>
std::optional<Value> Memo<Value, Input>::find(const Context& ctx, const Input& input) const {
  if (!allowed(input)) return std::nullopt;
  const CacheControl only_cached{.only_if_cached = true};
  const detail::MemoLookup found = handle_.look_up(ctx, key(input), only_cached);
  if (found.verdict != detail::MemoLookup::Verdict::serve || found.error) return std::nullopt;
  Result<Value> value = Codec<Value>::decode(*found.value);
  if (!value) return std::nullopt;
  return *std::move(value);
}

namespace detail {

/// What memoize() takes a loader's input to be: its second parameter.
template <class F>
struct LoaderInput;
template <class R, class C, class I>
struct LoaderInput<R (C::*)(const Context&, const I&) const> {
  using type = I;
};
template <class R, class C, class I>
struct LoaderInput<R (C::*)(const Context&, const I&)> {
  using type = I;
};
template <class R, class I>
struct LoaderInput<R (*)(const Context&, const I&)> {
  using type = I;
};
template <class F>
requires requires { &F::operator(); }
struct LoaderInput<F> : LoaderInput<decltype(&F::operator())> {};

}  // namespace detail

}  // namespace aiserve::inline v0
