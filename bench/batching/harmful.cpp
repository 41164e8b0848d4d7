// batching.harmful.*: models that batching hurts on a CPU: a convolutional net at 224 x 224, whose
// activations of several images no longer fit the cache, and an encoder at sequence 128, which
// fills a core with one. The Batcher is given max_batch 32 and has to find out by itself; against
// it the same Batcher with max_batch 1. They take turns.
#include <algorithm>
#include <memory>

#include "batching/closed_loop.hpp"
#include "batching/groups.hpp"
#include "batching/script_models.hpp"
#include "tuner/subject.hpp"

namespace bench {
namespace {

using aiserve::Async;
using aiserve::Context;
using aiserve::Tensor;

std::unique_ptr<tuner::Subject> subject(const std::string& file, std::size_t max_batch) {
  tuner::SubjectOptions options;
  options.model = {tuner::ModelKind::torch, 0, 0, file};
  options.setting.max_batch = max_batch;
  options.inputs = 8;
  return std::make_unique<tuner::Subject>(options);
}

LoopResult load(tuner::Subject& subject, double seconds) {
  const auto infer = [&](const Context& ctx, std::uint64_t index) -> Async<Tensor> {
    return subject.batcher().infer(ctx, subject.input(index));
  };
  return closed_loop(subject.runtime(), 16, seconds, infer);
}

struct Pair {
  explicit Pair(const std::string& file) : batched(subject(file, 32)), single(subject(file, 1)) {
    load(*batched, 0.1);
    load(*single, 0.1);
  }
  double ratio(int slices, double seconds) {
    LoopResult ours;
    LoopResult theirs;
    for (int i = 0; i < slices; ++i) {
      theirs.add(load(*single, seconds));
      ours.add(load(*batched, seconds));
    }
    return ours.per_second() / theirs.per_second();
  }
  std::unique_ptr<tuner::Subject> batched;
  std::unique_ptr<tuner::Subject> single;
};

struct State {
  std::unique_ptr<Pair> convolutions;
  std::unique_ptr<Pair> encoder;
};

}  // namespace

std::vector<Group> harmful_groups(const Options& options) {
  const auto state = std::make_shared<State>();
  const int slices = options.quick ? 2 : 4;
  return {{.name = "batching.harmful",
           .keys = {{.name = "batching.harmful.ratio", .unit = "ratio", .at_least = 0.97},
                    {.name = "batching.harmful.conv_ratio", .unit = "ratio"},
                    {.name = "batching.harmful.encoder_ratio", .unit = "ratio"}},
           .begin =
               [state] {
                 state->convolutions = std::make_unique<Pair>(script_models().convolutions);
                 state->encoder = std::make_unique<Pair>(script_models().encoder128);
               },
           .round =
               [=](Sample& sample) {
                 const double convolutions = state->convolutions->ratio(slices, 1.2);
                 const double encoder = state->encoder->ratio(slices, 1.2);
                 sample.set("batching.harmful.conv_ratio", convolutions);
                 sample.set("batching.harmful.encoder_ratio", encoder);
                 sample.set("batching.harmful.ratio", std::min(convolutions, encoder));
               },
           .end = [state] { *state = {}; }}};
}

}  // namespace bench
