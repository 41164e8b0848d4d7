/// InferenceRequest: a model, its version, parameters and inputs, as the input of a memoized
/// operation: requests that ask for the same have the same digest, whatever the order in which
/// parameters and inputs were named.
///
/// What draws lots is not cached: with a "temperature" above 0 and no "seed" a request bypasses the
/// cache, unless cacheable(true) says otherwise.
/// *Thread safety:* a value.
///
///     InferenceRequest request("llama", "v3");
///     request.set("temperature", 0.7).set("seed", 42).add("prompt", prompt);
///     Result<TensorSet> answer = co_await generate(ctx, request);
#pragma once

#include <aiserve/cache/digest.hpp>
#include <aiserve/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace aiserve::inline v0 {

class InferenceRequest {
 public:
  using Parameter = std::variant<bool, std::int64_t, double, std::string>;
  using Parameters = std::map<std::string, Parameter, std::less<>>;

  explicit InferenceRequest(std::string model = {}, std::string version = {}) noexcept
      : model_(std::move(model)), version_(std::move(version)) {}

  /// Replaces a parameter of that name.
  InferenceRequest& set(std::string name, Parameter value);
  InferenceRequest& set(std::string name, const char* value) {
    return set(std::move(name), Parameter(std::string(value)));
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) InferenceRequest& set(std::string name, T value) {
    return set(std::move(name), Parameter(static_cast<std::int64_t>(value)));
  }
  InferenceRequest& add(std::string name, Tensor input);
  /// Overrules what deterministic() says.
  InferenceRequest& cacheable(bool yes) noexcept;

  const std::string& model() const noexcept { return model_; }
  const std::string& version() const noexcept { return version_; }
  const Parameters& parameters() const noexcept { return parameters_; }
  const TensorSet& inputs() const noexcept { return inputs_; }

  /// False with a "temperature" that is not 0 (or no number), and no "seed".
  bool deterministic() const noexcept;
  bool cacheable() const noexcept { return cacheable_.value_or(deterministic()); }

 private:
  std::string model_;
  std::string version_;
  Parameters parameters_;
  TensorSet inputs_;
  std::optional<bool> cacheable_;
};

void digest_into(Digester& digester, const InferenceRequest& request);

/// What Memo asks of its input, if there is such a function: false bypasses the cache.
inline bool cache_allows(const InferenceRequest& request) noexcept { return request.cacheable(); }

}  // namespace aiserve::inline v0
