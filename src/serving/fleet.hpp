// Fleet: the instances of one version of a model. An engine serves from one; a replacement is made
// ready beside it.
#pragma once

#include <memory>
#include <vector>

#include "core/operation.hpp"
#include "serving/instance_worker.hpp"

namespace aiserve::inline v0::detail {

/// Who waits in Batcher::replace().
class Replacement final : public Operation {
 public:
  Result<void> result;
};

struct Fleet {
  Fleet(std::unique_ptr<BatchBackend> made, bool takes_over)
      : backend(std::move(made)), replaces(takes_over) {}

  std::unique_ptr<BatchBackend> backend;
  const bool replaces;  // another fleet serves until this one is ready
  std::vector<std::unique_ptr<InstanceWorker>> workers;
  struct WarmUp {
    std::size_t rows;
    Duration took;
  };
  // Under the engine's lock.
  std::vector<WarmUp> warm_ups;
  // Workers whose instances are not there yet (or known never to be), and one for their maker.
  std::size_t beginning = 0;
  std::size_t ended = 0;  // workers whose instances are gone
  std::optional<Error> failure;
  IntrusivePtr<Replacement> replacement;  // of the fleet that takes over
  const Fleet* predecessor = nullptr;     // the one it took over from
};

}  // namespace aiserve::inline v0::detail
