// Target: what a load is sent to, a Batcher in this process or a service behind a URL.
#pragma once

#include <cstdint>
#include <functional>

#include "tuner/load_result.hpp"

namespace tuner {

struct Answer {
  Outcome outcome = Outcome::failed;
  std::uint32_t batch_rows = 0;  // of the batch it rode in; 0: not known
  bool leads_batch = false;      // the first row of its batch: so that a batch is counted once
};

struct Call {
  std::uint64_t index = 0;   // which of the prepared inputs, by remainder
  std::uint32_t tenant = 0;  // of the mix
  Nanos deadline = 0;        // from now; 0: none
};

class Target {
 public:
  using Done = std::function<void(const Answer&)>;

  virtual ~Target() = default;
  /// Never blocks; `done` is called exactly once, on a thread of the target.
  virtual void send(const Call& call, Done done) = 0;
};

}  // namespace tuner
