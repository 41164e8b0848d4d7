/// Model and ModelInstance: the port through which the Batcher computes.
///
/// A Model is made in main and can make any number of instances; each instance is created, used
/// and destroyed on the worker thread that owns it, so it needs no lock.
/// *Thread safety:* Model: any thread. ModelInstance: its worker thread only.
/// *Errors:* create_instance: the Runtime fails and says why. run: fails every row of the batch.
///
///     class Doubler final : public ModelInstance {
///       Result<void> run(Batch& batch) override { ... return success(); }
///     };
#pragma once

#include <aiserve/serving/batch.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace aiserve::inline v0 {

class ModelInstance {
 public:
  virtual ~ModelInstance() = default;
  /// Computes all rows. An exception counts as an internal error of every row.
  virtual Result<void> run(Batch& batch) = 0;
  /// Called with zero-filled rows before the instance is ready.
  virtual Result<void> warm_up(Batch& batch) { return run(batch); }
};

class Model {
 public:
  virtual ~Model() = default;
  virtual const Signature& signature() const noexcept = 0;
  virtual const std::string& name() const noexcept = 0;
  /// How many instances a Batcher makes unless its options say otherwise.
  virtual int instances() const noexcept { return 1; }
  virtual Result<std::unique_ptr<ModelInstance>> create_instance(int index) = 0;
  /// Whether an instance may be warmed up with zero-filled rows: not if rows have effects.
  virtual bool may_warm_up() const noexcept { return true; }
  /// How long dimensions of any length are in made-up rows: for warming up, and the row check.
  virtual std::int64_t sample_length() const noexcept { return 16; }
  /// Whether two made-up rows of pseudo-random numbers may be run, together and alone, before the
  /// model is ready: answers that depend on who rides along are refused then.
  virtual bool may_check_rows() const noexcept { return false; }
  /// How far a row's answers may differ between batches, of the largest: rounding, that is.
  virtual double row_tolerance() const noexcept { return 1e-4; }
  /// A JSON object for /status.
  virtual std::string status() const { return "{}"; }
};

struct CallableModelOptions {
  std::string name = "callable";
  Signature signature{};
  /// Threads that call the function side by side, 1 to 256.
  int instances = 1;
};

/// A plain C++ callable as model. It is called from `instances` threads, never with made-up rows.
class CallableModel final : public Model {
 public:
  using Function = std::function<Result<void>(Batch&)>;
  /// Throws ConfigError when the signature is not valid.
  CallableModel(CallableModelOptions options, Function function);

  const Signature& signature() const noexcept override { return options_.signature; }
  const std::string& name() const noexcept override { return options_.name; }
  int instances() const noexcept override { return options_.instances; }
  bool may_warm_up() const noexcept override { return false; }
  Result<std::unique_ptr<ModelInstance>> create_instance(int index) override;

 private:
  CallableModelOptions options_;
  Function function_;
};

}  // namespace aiserve::inline v0
