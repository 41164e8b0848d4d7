/// Ride: the batch that a request rode in, and why it was started.
/// *Thread safety:* values.
///
///     log(ride.size, ride.queue, to_string(ride.reason));
#pragma once

#include <aiserve/core/clock.hpp>
#include <aiserve/core/tensor.hpp>

#include <cstdint>
#include <string_view>

namespace aiserve::inline v0 {

/// Why a batch was started.
enum class DispatchReason : std::uint8_t {
  full,      ///< it had all the rows or the cost that it may have
  idle,      ///< an instance was free and took what was there
  deadline,  ///< a deadline was near: it went before others, or with fewer rows
  bucket,    ///< others waited, but their shape was another one
  wait,      ///< it was held for an announced arrival
  shed,      ///< no batch: the request was given up, it could not have been answered in time
};
std::string_view to_string(DispatchReason reason) noexcept;

struct Ride {
  std::uint64_t batch_id = 0;
  std::uint32_t size = 0;      ///< rows in the batch
  std::uint32_t position = 0;  ///< this request's row
  std::int32_t instance = -1;
  DispatchReason reason = DispatchReason::idle;
  std::uint16_t reruns = 0;  ///< how often a part of the batch was run again around a poisoned row
  Duration queue{};          ///< from submission until the batch was taken
  Duration compute{};        ///< of the model's runs
};

class Inference {
 public:
  Inference() = default;
  Inference(Tensor output, const Ride& ride) noexcept : output_(std::move(output)), ride_(ride) {}
  const Tensor& output() const noexcept { return output_; }
  const Ride& ride() const noexcept { return ride_; }

 private:
  Tensor output_;
  Ride ride_;
};

}  // namespace aiserve::inline v0
