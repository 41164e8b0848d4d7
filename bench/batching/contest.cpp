#include "batching/contest.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <thread>

#include "tuner/torch_zoo.hpp"

namespace bench {
namespace {

using aiserve::Async;
using aiserve::Context;
using aiserve::Tensor;

constexpr std::size_t kInputs = 512;

tuner::SubjectOptions subject_options(const ContestOptions& options) {
  tuner::SubjectOptions made;
  made.model = options.model;
  made.setting = {options.max_batch, options.instances, 1};
  made.max_queue = 4096;
  made.inputs = kInputs;
  return made;
}

}  // namespace

Contest::Contest(const ContestOptions& options)
    : options_(options), subject_(subject_options(options)) {
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < kInputs; ++i) rows.push_back(subject_.input(i));
  const std::string& file = options.model.file;
  for (int i = 0; i < options.instances; ++i) {
    direct_.push_back(
        std::make_unique<DirectModel>(file.empty() ? tuner::default_fashion_model() : file, rows));
    direct_.back()->run(1);
    direct_.back()->run(options.largest_direct_batch);
  }
}

LoopResult Contest::served(int in_flight, double seconds) {
  const auto infer = [this](const Context& ctx, std::uint64_t index) -> Async<Tensor> {
    return subject_.batcher().infer(ctx, subject_.input(index));
  };
  LoopResult result = closed_loop(subject_.runtime(), in_flight, seconds, infer);
  if (result.failed != 0) throw std::runtime_error("requests failed");
  return result;
}

double Contest::direct_rate(std::size_t batch, double seconds) {
  std::vector<double> rates(direct_.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < direct_.size(); ++i) {
    threads.emplace_back([&, i] { rates[i] = loop(*direct_[i], batch, seconds).per_second(); });
  }
  for (std::thread& thread : threads) thread.join();
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

LoopResult Contest::singles(double seconds) { return loop(*direct_.front(), 1, seconds); }

std::size_t Contest::best_batch(double seconds_each) {
  constexpr int kPasses = 3;  // a slow moment must not hide the best size
  std::map<std::size_t, double> rates;
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::size_t batch = 1; batch <= options_.largest_direct_batch; batch *= 2) {
      rates[batch] += direct_rate(batch, seconds_each / kPasses);
    }
  }
  const auto best = std::max_element(
      rates.begin(), rates.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return best->first;
}

LoopResult Contest::loop(DirectModel& model, std::size_t batch, double seconds) {
  LoopResult result;
  const double begun = seconds_now();
  double now = begun;
  while (now < begun + seconds) {
    model.run(batch);
    const double after = seconds_now();
    result.latencies.push_back(after - now);
    now = after;
    result.completed += batch;
  }
  result.seconds = now - begun;
  return result;
}

}  // namespace bench
