// g++ 12 destroys temporary aggregates inside a co_await expression twice (docs/concepts.md). What
// is passed to awaited calls must therefore be a class with a constructor, or trivially
// destructible.
#include <type_traits>

#include <doctest/doctest.h>

#include "aiserve/core/context.hpp"
#include "aiserve/core/tensor.hpp"
#include "aiserve/core/trace.hpp"

using namespace aiserve;

template <class T>
inline constexpr bool kSafeInCoAwait =
    !std::is_aggregate_v<T> || std::is_trivially_destructible_v<T>;

static_assert(kSafeInCoAwait<Error>);
static_assert(kSafeInCoAwait<Result<int>>);
static_assert(kSafeInCoAwait<Result<void>>);
static_assert(kSafeInCoAwait<Bytes>);
static_assert(kSafeInCoAwait<MutableBytes>);
static_assert(kSafeInCoAwait<Shape>);
static_assert(kSafeInCoAwait<Tensor>);
static_assert(kSafeInCoAwait<NamedTensor>);
static_assert(kSafeInCoAwait<TensorSet>);
static_assert(kSafeInCoAwait<Deadline>);
static_assert(kSafeInCoAwait<TenantId>);
static_assert(kSafeInCoAwait<Tenant>);
static_assert(kSafeInCoAwait<TraceParent>);
static_assert(kSafeInCoAwait<Context>);
static_assert(!kSafeInCoAwait<ContextOptions>, "options with strings are for wiring time only");

TEST_CASE("the vocabulary is safe inside co_await expressions") { CHECK(kSafeInCoAwait<Tensor>); }
