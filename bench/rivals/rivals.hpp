// The contestants of a comparison, by name: ours first, then what others do.
#pragma once

#include <string>
#include <vector>

#include "decide/batch_decision.hpp"
#include "tuner/subject.hpp"

namespace rivals {

struct Contestant {
  std::string name;
  tuner::MakeBatcher make;
};

tuner::MakeBatcher ours();
/// The same engine with another rule; the knee is not learned, max_batch is what it is.
tuner::MakeBatcher with_policy(aiserve::decide::BatchPolicy policy);

/// "none", "window1", "window2", "window5" (ms).
std::vector<Contestant> others();

}  // namespace rivals
