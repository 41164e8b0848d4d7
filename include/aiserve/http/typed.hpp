/// typed(): handlers that take and give structs.
///
/// The structs are described once (description.hpp). From that the request is read in one pass,
/// without a tree in between; every bad field stands in one 422 with its JSON pointer; the answer
/// is written; and openapi() documents the route. A handler is any of
///
///     Out (const Context&, const In&)      Out (const Context&, const In&, const Request&)
///     Out (const Context&)                 Out (const Context&, const Request&)
///
/// where Out is T, Result<T> or Async<T>, and T a type with a description, one that needs none
/// (std::vector<Pet>), void for 204, or Response. In may be taken by value.
/// *Thread safety:* as any handler (handler.hpp). *Errors:* to the client: 400 for what is no JSON,
/// 415 for another Content-Type, 422 with `errors`; ConfigError at wiring if description, pattern
/// and method don't go together.
///
///     server.post("/v1/echo", http::typed([](const Context&, const EchoIn& in) {
///       return EchoOut{.text = in.text};
///     }));
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/http/description.hpp>
#include <aiserve/http/request.hpp>
#include <aiserve/http/response.hpp>
#include <aiserve/http/typed_operation.hpp>

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace aiserve::inline v0::http::detail {

/// Reads what `operation` takes into `input`, or says what to answer instead.
std::optional<Response> read_request(const TypedOperation& operation, const Context& ctx,
                                     const Request& request, void* input);
Result<Response> write_answer(const TypedOperation& operation, const void* output);
std::shared_ptr<const TypedOperation> make_operation(TypeRef input, TypeRef output,
                                                     TypedOptions options);

template <class F>
struct CallTraits : CallTraits<decltype(&F::operator())> {};
template <class R, class... A>
struct CallTraits<R (*)(A...)> {
  using Returned = R;
  using Arguments = std::tuple<A...>;
};
template <class R, class C, class... A>
struct CallTraits<R (C::*)(A...)> : CallTraits<R (*)(A...)> {};
template <class R, class C, class... A>
struct CallTraits<R (C::*)(A...) const> : CallTraits<R (*)(A...)> {};
template <class R, class C, class... A>
struct CallTraits<R (C::*)(A...) const noexcept> : CallTraits<R (*)(A...)> {};

/// void: takes nothing but Context and Request.
template <class Arguments>
struct InputOf {
  using type = void;
};
template <class C, class In, class... More>
struct InputOf<std::tuple<C, In, More...>> {
  using Plain = std::remove_cvref_t<In>;
  using type = std::conditional_t<std::is_same_v<Plain, Request>, void, Plain>;
};

/// What T, Result<T> and Async<T> are about.
template <class R>
struct OutputOf {
  using type = R;
  static constexpr bool kAsync = false;
};
template <class T>
struct OutputOf<Result<T>> : OutputOf<T> {};
template <class T>
struct OutputOf<Async<T>> {
  using type = T;
  static constexpr bool kAsync = true;
};

template <class F>
class TypedHandler {
  using Traits = CallTraits<F>;
  using Arguments = typename Traits::Arguments;
  using In = typename InputOf<Arguments>::type;
  using Out = typename OutputOf<typename Traits::Returned>::type;
  static constexpr bool kAsync = OutputOf<typename Traits::Returned>::kAsync;
  static constexpr bool kWantsRequest =
      std::tuple_size_v<Arguments> == (std::is_void_v<In> ? 2u : 3u);
  struct Nothing {};
  using Input = std::conditional_t<std::is_void_v<In>, Nothing, In>;

 public:
  TypedHandler(F handler, TypedOptions options)
      : handler_(std::move(handler)),
        operation_(make_operation(input_type(), output_type(), std::move(options))) {}

  auto operator()(const Context& ctx, const Request& request) const {
    if constexpr (kAsync) {
      return answer_later(ctx, request);
    } else {
      return answer(ctx, request);
    }
  }
  const std::shared_ptr<const TypedOperation>& operation() const noexcept { return operation_; }

 private:
  static TypeRef input_type() {
    if constexpr (std::is_void_v<In>) {
      return nullptr;
    } else {
      return &type_of<In>;
    }
  }
  static TypeRef output_type() {
    if constexpr (std::is_void_v<Out> || std::is_same_v<Out, Response>) {
      return nullptr;
    } else {
      return &type_of<Out>;
    }
  }

  typename Traits::Returned call(const Context& ctx, Input& input, const Request& request) const {
    if constexpr (std::is_void_v<In> && kWantsRequest) {
      return handler_(ctx, request);
    } else if constexpr (std::is_void_v<In>) {
      return handler_(ctx);
    } else if constexpr (kWantsRequest) {
      return handler_(ctx, std::move(input), request);
    } else {
      return handler_(ctx, std::move(input));
    }
  }

  Result<Response> to_response(Result<Out>&& result) const {
    if (!result.ok()) return std::move(result).error();
    if constexpr (std::is_void_v<Out>) {
      return write_answer(*operation_, nullptr);
    } else if constexpr (std::is_same_v<Out, Response>) {
      return std::move(*result);
    } else {
      return write_answer(*operation_, &*result);
    }
  }

  Result<Response> answer(const Context& ctx, const Request& request) const {
    Input input{};
    if (auto refused = read_request(*operation_, ctx, request, &input)) return *std::move(refused);
    if constexpr (std::is_void_v<typename Traits::Returned>) {
      call(ctx, input, request);
      return to_response(success());
    } else {
      return to_response(call(ctx, input, request));
    }
  }

  Async<Response> answer_later(const Context& ctx, const Request& request) const {
    Input input{};
    if (auto refused = read_request(*operation_, ctx, request, &input)) {
      co_return *std::move(refused);
    }
    Result<Out> result = co_await call(ctx, input, request);
    co_return to_response(std::move(result));
  }

  mutable F handler_;
  std::shared_ptr<const TypedOperation> operation_;
};

}  // namespace aiserve::inline v0::http::detail

namespace aiserve::inline v0::http {

/// A handler for Server::get(), post() and so on. A lambda that is generic has no types to read.
template <class F>
auto typed(F handler, TypedOptions options = {}) {
  return detail::TypedHandler<F>(std::move(handler), std::move(options));
}

}  // namespace aiserve::inline v0::http
