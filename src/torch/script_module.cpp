#include "torch/script_module.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/script.h>
#include <torch/version.h>

namespace aiserve::inline v0::detail {
namespace {

// Without DType::string, which Signature::validate() refuses.
constexpr std::array<std::pair<DType, c10::ScalarType>, 10> kTypes{{
    {DType::u8, c10::ScalarType::Byte},
    {DType::i8, c10::ScalarType::Char},
    {DType::i16, c10::ScalarType::Short},
    {DType::i32, c10::ScalarType::Int},
    {DType::i64, c10::ScalarType::Long},
    {DType::f16, c10::ScalarType::Half},
    {DType::bf16, c10::ScalarType::BFloat16},
    {DType::f32, c10::ScalarType::Float},
    {DType::f64, c10::ScalarType::Double},
    {DType::boolean, c10::ScalarType::Bool},
}};

c10::ScalarType scalar_type(DType dtype) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) return theirs;
  }
  return c10::ScalarType::Undefined;
}

std::string dtype_name(c10::ScalarType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return std::string(aiserve::to_string(ours));
  }
  return c10::toString(type);
}

c10::IntArrayRef sizes_of(const Shape& shape) { return {shape.dims().data(), shape.dims().size()}; }

std::string join(c10::IntArrayRef sizes) {
  std::string text = "[";
  for (const std::int64_t size : sizes) {
    text += (text.size() == 1 ? "" : ", ") + std::to_string(size);
  }
  return text + "]";
}

// The text of a libtorch exception without backtrace. TorchScript prints the source first and the
// cause in the last line; other errors say what they mean in the first.
std::string one_line(const std::exception& error) {
  const auto* from_torch = dynamic_cast<const c10::Error*>(&error);
  std::string_view text = from_torch ? from_torch->what_without_backtrace() : error.what();
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  if (text.find("Traceback of TorchScript") != std::string_view::npos) {
    text = text.substr(text.rfind('\n') + 1);
  }
  text = text.substr(0, text.find('\n'));
  return std::string(text.substr(0, 300));
}

Error bad_file(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

Error misfit(std::string detail) {
  return Error(Errc::internal, "the model does not fit its signature")
      .with_detail(std::move(detail));
}

Result<c10::Device> parse_device(const std::string& name) {
  const bool cuda = name == "cuda" || name.starts_with("cuda:");
  if (name != "cpu" && !cuda) {
    return bad_file("unknown device \"" + name + "\": use \"cpu\" or \"cuda:0\"");
  }
  if (cuda && !at::hasCUDA()) {
    return bad_file("device \"" + name + "\": this libtorch is built for the CPU only");
  }
  try {
    return c10::Device(name);
  } catch (const std::exception& error) {
    return bad_file("device \"" + name + "\": " + one_line(error));
  }
}

class MemoryReader final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit MemoryReader(ByteView data) noexcept : data_(data) {}
  std::size_t size() const override { return data_.size(); }
  std::size_t read(std::uint64_t position, void* buffer, std::size_t count,
                   const char*) const override {
    if (position >= data_.size()) return 0;
    count = std::min(count, data_.size() - static_cast<std::size_t>(position));
    std::memcpy(buffer, data_.data() + position, count);
    return count;
  }

 private:
  ByteView data_;
};

// Which inputs forward() may write to. Those are copied first: a batch of one is the request's own
// payload, which the cache or a retry may hold as well. The analysis errs towards copying.
std::vector<bool> written_inputs(const torch::jit::Module& module, std::size_t inputs) {
  const auto graph = module.get_method("forward").graph()->copy();
  torch::jit::Inline(*graph);
  const torch::jit::AliasDb aliases(graph);
  std::vector<bool> written;
  for (std::size_t i = 0; i < inputs; ++i) {
    written.push_back(aliases.hasWriters(graph->inputs().at(i + 1)));  // 0 is self
  }
  return written;
}

Result<void> check_arguments(const torch::jit::Method& forward, const Signature& signature) {
  const auto& arguments = forward.function().getSchema().arguments();
  const auto required = static_cast<std::size_t>(
      std::count_if(arguments.begin() + 1, arguments.end(),
                    [](const c10::Argument& a) { return !a.default_value(); }));
  const std::size_t given = signature.inputs.size();
  if (given >= required && given + 1 <= arguments.size()) return success();
  return bad_file("forward() takes " + std::to_string(arguments.size() - 1) +
                  " inputs, the signature has " + std::to_string(given));
}

class TorchScriptModule final : public ScriptModule {
 public:
  TorchScriptModule(torch::jit::Module module, std::vector<bool> written, c10::Device device,
                    bool bf16, const Signature& signature)
      : module_(std::move(module)),
        forward_(module_.get_method("forward")),
        written_(std::move(written)),
        device_(device),
        bf16_(bf16),
        signature_(signature) {}

  Result<void> forward(std::span<const InputSlab> inputs,
                       std::span<const OutputSlab> outputs) override {
    try {
      const c10::InferenceMode no_gradients;
      return unpack(forward_(arguments(inputs)), outputs);
    } catch (const std::exception& error) {
      return Error(Errc::internal, "the model failed").with_detail(one_line(error));
    }
  }

 private:
  std::vector<c10::IValue> arguments(std::span<const InputSlab> inputs) const {
    std::vector<c10::IValue> arguments;
    arguments.reserve(inputs.size() + 1);  // forward puts self in front
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      // from_blob takes no const; written_ says where that would matter.
      auto* data = const_cast<std::byte*>(inputs[i].bytes.data());
      const at::Tensor slab =
          at::from_blob(data, sizes_of(inputs[i].shape), scalar_type(signature_.inputs[i].dtype()));
      at::Tensor tensor = device_.is_cpu() ? slab : slab.to(device_);
      if (bf16_ && tensor.is_floating_point()) tensor = tensor.to(at::kBFloat16);
      if (written_[i] && tensor.is_alias_of(slab)) tensor = tensor.clone();
      arguments.emplace_back(std::move(tensor));
    }
    return arguments;
  }

  Result<void> unpack(const c10::IValue& result, std::span<const OutputSlab> outputs) const {
    if (result.isTensor() && outputs.size() == 1) return store(result.toTensor(), 0, outputs);
    if (result.isGenericDict()) return unpack_dict(result.toGenericDict(), outputs);
    std::vector<at::Tensor> tensors;
    if (result.isTuple()) {
      for (const c10::IValue& element : result.toTupleRef().elements()) {
        if (!element.isTensor()) return misfit("forward() returns something that is no tensor");
        tensors.push_back(element.toTensor());
      }
    } else if (result.isTensorList()) {
      tensors = result.toTensorVector();
    } else if (!result.isTensor()) {
      return misfit("forward() returns " + result.tagKind() + ", not tensors");
    }
    const std::size_t count = result.isTensor() ? 1 : tensors.size();
    if (count != outputs.size()) {
      return misfit("forward() returns " + std::to_string(count) + " outputs, the signature has " +
                    std::to_string(outputs.size()));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (Result<void> stored = store(tensors[i], i, outputs); !stored) return stored;
    }
    return success();
  }

  Result<void> unpack_dict(const c10::impl::GenericDict& dict,
                           std::span<const OutputSlab> outputs) const {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string& name = signature_.outputs[i].name();
      const auto found = dict.find(name);
      if (found == dict.end() || !found->value().isTensor()) {
        return misfit("forward() returns a dict without tensor \"" + name + "\"");
      }
      if (Result<void> stored = store(found->value().toTensor(), i, outputs); !stored) {
        return stored;
      }
    }
    return success();
  }

  Result<void> store(const at::Tensor& tensor, std::size_t index,
                     std::span<const OutputSlab> outputs) const {
    const TensorSpec& spec = signature_.outputs[index];
    const c10::IntArrayRef sizes = sizes_of(outputs[index].shape);
    const c10::ScalarType type = scalar_type(spec.dtype());
    if (!tensor.defined() || !gives(tensor.scalar_type(), type) || tensor.sizes() != sizes) {
      return misfit("output '" + spec.name() + "' is " + describe(tensor) +
                    ", the signature says " + std::string(aiserve::to_string(spec.dtype())) + " " +
                    join(sizes));
    }
    const std::span<std::byte> slab = outputs[index].bytes;
    const at::Tensor dense = tensor.layout() == c10::kStrided ? tensor : tensor.to_dense();
    if (dense.is_cpu() && dense.is_contiguous() && dense.scalar_type() == type) {
      std::memcpy(slab.data(), dense.data_ptr(), slab.size());
    } else {
      at::from_blob(slab.data(), sizes, type).copy_(dense);
    }
    return success();
  }

  // What the module computed as bfloat16 goes out as the floating type that the signature says.
  bool gives(c10::ScalarType computed, c10::ScalarType wanted) const {
    if (computed == wanted) return true;
    return bf16_ && computed == c10::ScalarType::BFloat16 && c10::isFloatingType(wanted);
  }

  static std::string describe(const at::Tensor& tensor) {
    if (!tensor.defined()) return "undefined";
    return dtype_name(tensor.scalar_type()) + " " + join(tensor.sizes());
  }

  torch::jit::Module module_;
  torch::jit::Method forward_;
  std::vector<bool> written_;
  c10::Device device_;
  bool bf16_;
  const Signature& signature_;
};

Result<torch::jit::Module> read_module(ByteView file, c10::Device device) {
  try {
    torch::jit::Module module = torch::jit::load(std::make_shared<MemoryReader>(file), device);
    if (!module.find_method("forward")) return bad_file("the module has no forward()");
    module.eval();
    return module;
  } catch (const std::exception& error) {
    return bad_file("not a TorchScript file that libtorch " + std::string(libtorch_version()) +
                    " can load (torch.jit.save makes them): " + one_line(error));
  }
}

Result<void> narrow(torch::jit::Module& module) {
  try {
    module.to(at::kBFloat16);
    return success();
  } catch (const std::exception& error) {
    return bad_file("cannot be made bfloat16 (.bf16 = false loads it as it is): " +
                    one_line(error));
  }
}

Result<void> freeze(torch::jit::Module& module) {
  try {
    module = torch::jit::freeze(module);
    return success();
  } catch (const std::exception& error) {
    return bad_file("cannot be frozen (.freeze = false loads it as it is): " + one_line(error));
  }
}

Result<void> optimize(torch::jit::Module& module) {
  try {
    module = torch::jit::optimize_for_inference(module);
    return success();
  } catch (const std::exception& error) {
    return bad_file("cannot be optimised (.optimize_for_inference = false loads it as it is): " +
                    one_line(error));
  }
}

// The thread-local setting of the OpenMP runtime that libtorch is linked with.
using SetThreads = void(int);
SetThreads* openmp_set_threads() noexcept {
  return reinterpret_cast<SetThreads*>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
}

// at::set_num_threads() would also become the default of every thread that libtorch has not seen
// yet, the host's included.
void set_threads(int threads) {
  if (at::get_num_threads() == threads) return;  // also makes libtorch set its own default, once
  if (SetThreads* set = openmp_set_threads(); set != nullptr) set(threads);
  if (at::get_num_threads() != threads) at::set_num_threads(threads);
}

}  // namespace

Result<std::unique_ptr<ScriptModule>> load_script_module(ByteView file, const Signature& signature,
                                                         const ScriptOptions& options) {
  const Result<c10::Device> device = parse_device(options.device);
  if (!device) return device.error();
  Result<torch::jit::Module> module = read_module(file, *device);
  if (!module) return module.error();
  if (Result<void> fits = check_arguments(module->get_method("forward"), signature); !fits) {
    return fits.error();
  }
  if (options.bf16) {
    if (Result<void> narrowed = narrow(*module); !narrowed) return narrowed.error();
  }
  if (options.freeze) {
    if (Result<void> frozen = freeze(*module); !frozen) return frozen.error();
  }
  // Before the optimiser makes some operations write in place where that is safe.
  std::vector<bool> written = written_inputs(*module, signature.inputs.size());
  if (options.freeze && options.optimize_for_inference) {
    if (Result<void> optimized = optimize(*module); !optimized) return optimized.error();
  }
  return std::unique_ptr<ScriptModule>(std::make_unique<TorchScriptModule>(
      std::move(*module), std::move(written), *device, options.bf16, signature));
}

IntraOpThreads::IntraOpThreads(int threads) : before_(at::get_num_threads()) {
  set_threads(threads);
}

IntraOpThreads::~IntraOpThreads() { set_threads(before_); }

int intra_op_threads() { return at::get_num_threads(); }

double measure_gflops() {
  constexpr std::int64_t kSide = 256;
  constexpr double kOperations = 2.0 * kSide * kSide * kSide;
  const c10::InferenceMode no_gradients;
  const at::Tensor a = at::ones({kSide, kSide});
  at::Tensor product = at::mm(a, a);  // the first call also sets buffers up
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    at::mm_out(product, a, a);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    best = std::max(best, kOperations / 1e9 / std::max(took.count(), 1e-9));
  }
  return best;
}

double excess(DType dtype, ByteView got, ByteView expected, double tolerance) {
  const auto as_doubles = [dtype](ByteView bytes) {
    const auto count = static_cast<std::int64_t>(bytes.size() / size_of(dtype));
    auto* data = const_cast<std::byte*>(bytes.data());
    return at::from_blob(data, {count}, scalar_type(dtype)).to(at::kDouble);
  };
  const c10::InferenceMode no_gradients;
  const at::Tensor a = as_doubles(got);
  const at::Tensor b = as_doubles(expected);
  const at::Tensor equal = (a == b) | (a.isnan() & b.isnan());
  at::Tensor over = (a - b).abs() - tolerance * (b.abs() + 1);
  over = at::nan_to_num(over, std::numeric_limits<double>::max());
  return over.masked_fill(equal, 0).max().item<double>();
}

std::string_view libtorch_version() noexcept { return TORCH_VERSION; }

}  // namespace aiserve::inline v0::detail
