/// TorchModel: a TorchScript file as Model.
///
/// The constructor loads the file once, checks it against its signature and measures the BLAS that
/// libtorch runs on; each instance is a module of its own with its own number of threads. Only the
/// files named in the options, and the sample beside the side-car, are opened. A TorchScript file
/// is code: load what you trust, and pin it with `sha256` (docs/models.md).
/// The signature comes from a side-car JSON file or from code.
/// *Thread safety:* any thread, as Model says.
/// *Errors:* the constructor throws ConfigError: option out of range, file missing or corrupt,
/// digest or signature that does not fit, unknown device. Rows: invalid_argument (NaN in an
/// input), internal (the model threw, or computed NaN).
///
///     TorchModel model({.path = "classifier.pt", .instances = 2});
///     Batcher batcher(runtime, model);
#pragma once

#include <aiserve/serving/model.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace aiserve::inline v0 {

class Telemetry;

struct TorchModelOptions {
  /// The TorchScript file (torch.jit.save). Required.
  std::string path;
  /// The side-car file. Default: `path` with the extension .json. Not read when `signature` is
  /// given.
  std::string signature_path{};
  /// The signature in code, in place of a side-car. Default: empty.
  Signature signature{};
  /// Label in metrics and logs. Default: "name" of the side-car, else the file's stem.
  std::string name{};
  /// Modules, each with a thread of its own, 1 to 256. Default 0: one per hardware thread.
  int instances = 0;
  /// SHA-256 of the model file, 64 hex digits. Default: that of the side-car, if it has one.
  std::string sha256{};
  /// "cpu", or "cuda:0" with a libtorch built for CUDA (that path is untested).
  std::string device = "cpu";
  /// Allow when NaN stands for a missing value.
  NanPolicy nan_inputs = NanPolicy::reject;
  /// JSON has no NaN: allow only if you encode it otherwise.
  NanPolicy nan_outputs = NanPolicy::reject;
  /// Threads inside one operation, 1 to 256. Two instances of one thread beat one of two.
  int intra_op_threads = 1;
  /// Makes weights constants and inlines everything. Switch off for modules that keep state.
  bool freeze = true;
  /// Fuses and re-lays convolutions out; can be several times faster on a CPU. Ignored without
  /// freeze.
  bool optimize_for_inference = true;
  /// Computes in bfloat16: parameters, buffers and floating inputs are converted, outputs come back
  /// as the signature's type. Pays on CPUs with AMX (Sapphire Rapids on: matrix products up to 5
  /// times faster), is slower on most others. Answers keep 2 to 3 digits: compare before you
  /// switch it on.
  bool bf16 = false;
  /// How long dimensions of any length are in made-up rows (check_at_load, warm-up, check_rows),
  /// 1 to 65536. Raise it for models that need longer inputs.
  std::int64_t check_length = 16;
  /// Before it serves, two pseudo-random rows are run together and alone, and must agree. Switch
  /// off for modules that keep state, and where answers are random.
  bool check_rows = true;
  /// Runs zero-filled batches of 1 and 2 rows in the constructor and compares the outputs with the
  /// signature, then the sample of the side-car, if there is one, and compares the values. Switch
  /// off (with BatcherOptions::warm_up) when zeros are no valid input.
  bool check_at_load = true;
  /// Told what was loaded and how fast the BLAS is. Default: only a slow BLAS is told, on stderr.
  Telemetry* telemetry = nullptr;
};

/// The matrix library behind libtorch. It decides whether batching pays (docs/models.md).
struct BlasInfo {
  std::string name{};     ///< "OpenBLAS 0.3.21 (SkylakeX)", "netlib reference BLAS", ...
  std::string library{};  ///< the file, links resolved; empty if built into libtorch
  double gflops = 0;      ///< measured: 256 x 256 float32 matrices, intra_op_threads threads

  /// Netlib's reference BLAS reaches about 2.
  bool slow() const noexcept { return gflops < 10; }
};

class TorchModel final : public Model {
 public:
  explicit TorchModel(TorchModelOptions options);
  ~TorchModel() override;
  TorchModel(const TorchModel&) = delete;
  TorchModel& operator=(const TorchModel&) = delete;

  const Signature& signature() const noexcept override;
  const std::string& name() const noexcept override;
  int instances() const noexcept override;
  /// Reads the file again for all but the first; `data_loss` if it has changed since.
  Result<std::unique_ptr<ModelInstance>> create_instance(int index) override;
  std::int64_t sample_length() const noexcept override;
  bool may_check_rows() const noexcept override;
  double row_tolerance() const noexcept override;
  std::string status() const override;

  const BlasInfo& blas() const noexcept;
  /// Of the model file, lower-case hex.
  const std::string& sha256() const noexcept;
  /// "version" of the side-car; may be empty.
  const std::string& version() const noexcept;
  /// The side-car's JSON text, for labels and what else lies there; "{}" without a side-car.
  const std::string& metadata() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
