// The one door to libtorch: script_module.cpp is the only file that includes its headers (15 s to
// compile).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/result.hpp"
#include "aiserve/serving/signature.hpp"

namespace aiserve::inline v0::detail {

struct ScriptOptions {
  std::string device = "cpu";
  bool freeze = true;
  bool optimize_for_inference = true;
  bool bf16 = false;  // parameters, buffers and floating inputs as bfloat16
};

// One input or output of a whole batch, first dimension included.
struct InputSlab {
  Shape shape;
  ByteView bytes;
};
struct OutputSlab {
  Shape shape;
  std::span<std::byte> bytes;
};

// A loaded module. One thread at a time.
class ScriptModule {
 public:
  virtual ~ScriptModule() = default;

  // Reads `inputs` in place and fills `outputs`, in the signature's order. Errors: internal with
  // the cause as detail: the module threw, or its outputs are not what the signature says.
  virtual Result<void> forward(std::span<const InputSlab> inputs,
                               std::span<const OutputSlab> outputs) = 0;
};

// Loads, freezes and optimises. `signature` must outlive the module. Errors: invalid_argument, one
// line that fits behind "FILE: ".
Result<std::unique_ptr<ScriptModule>> load_script_module(ByteView file, const Signature& signature,
                                                         const ScriptOptions& options);

// Sets libtorch's number of threads per operation for the calling thread, and nothing else, until
// destroyed (on the same thread).
class IntraOpThreads {
 public:
  explicit IntraOpThreads(int threads);
  ~IntraOpThreads();
  IntraOpThreads(const IntraOpThreads&) = delete;
  IntraOpThreads& operator=(const IntraOpThreads&) = delete;

 private:
  int before_;
};

int intra_op_threads();

// What a product of two 256 x 256 float32 matrices reaches: the best of a few.
double measure_gflops();

// The largest |got - expected| - tolerance * (1 + |expected|); at most 0 if all are close. Equal
// infinities and a NaN on both sides are close.
double excess(DType dtype, ByteView got, ByteView expected, double tolerance);

std::string_view libtorch_version() noexcept;

}  // namespace aiserve::inline v0::detail
