// Subject: a model behind a Batcher in this process, with its runtime: one I/O thread, a thread per
// instance. What is measured, as Target.
#pragma once

#include <aiserve/serving/batcher.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "tuner/knee.hpp"
#include "tuner/model_spec.hpp"
#include "tuner/model_zoo.hpp"
#include "tuner/parse.hpp"
#include "tuner/target.hpp"

namespace tuner {

/// How the Batcher is made; benchmarks put other decision functions in.
using MakeBatcher = std::function<std::unique_ptr<aiserve::Batcher>(
    aiserve::Runtime&, aiserve::Model&, aiserve::BatcherOptions)>;

struct SubjectOptions {
  ModelSpec model{};
  Setting setting{};
  std::size_t max_queue = 1024;
  std::size_t row_bytes = 3072;       // of null, sleep and spin
  std::vector<TenantLoad> tenants{};  // empty: the anonymous one
  std::size_t inputs = 256;           // prepared, used in turn
  std::chrono::microseconds spin{};   // of the Runtime
  MakeBatcher make_batcher{};         // empty: with the options given here
  std::function<Zoo()> make_zoo{};    // empty: what `model` says
};

class Subject final : public Target {
 public:
  /// Loads, warms up and waits until every instance is ready. Throws aiserve::ConfigError or
  /// UsageError when that cannot work.
  explicit Subject(const SubjectOptions& options);
  ~Subject() override;

  void send(const Call& call, Done done) override;

  aiserve::Runtime& runtime() noexcept;
  aiserve::Batcher& batcher() noexcept;
  /// For models with one input.
  const aiserve::Tensor& input(std::uint64_t index) const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuner
