#include "aiserve/torch/torch_model.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <limits>
#include <mutex>
#include <thread>

#include "aiserve/core/telemetry.hpp"
#include "core/json_text.hpp"
#include "torch/blas.hpp"
#include "torch/load_check.hpp"
#include "torch/model_file.hpp"
#include "torch/script_module.hpp"
#include "torch/side_car.hpp"
#include "torch/torch_instance.hpp"

namespace aiserve::inline v0 {
namespace {

using detail::ScriptModule;

constexpr std::size_t kMaxModelFile = std::numeric_limits<std::ptrdiff_t>::max();
constexpr std::size_t kMaxSideCar = std::size_t{16} << 20U;

[[noreturn]] void fail(const std::string& file, const std::string& why) {
  throw ConfigError("model " + file + ": " + why);
}

// What bfloat16's 8 bits of mantissa leave of an answer, after some layers.
constexpr double kBf16Tolerance = 2e-2;

void check_range(const TorchModelOptions& options, const char* name, int value) {
  if (value < 1 || value > 256) fail(options.path, std::string(name) + " must be 1 to 256");
}

TorchModelOptions checked(TorchModelOptions options) {
  if (options.path.empty()) throw ConfigError("model: path is required");
  if (options.instances == 0) {
    const unsigned threads = std::max(std::thread::hardware_concurrency(), 1U);
    options.instances = static_cast<int>(std::min(threads, 256U));
  }
  check_range(options, "instances", options.instances);
  check_range(options, "intra_op_threads", options.intra_op_threads);
  if (options.check_length < 1 || options.check_length > 65'536) {
    fail(options.path, "check_length must be 1 to 65536");
  }
  if (!options.sha256.empty()) {
    Result<std::string> digest = detail::parse_sha256(options.sha256);
    if (!digest) fail(options.path, digest.error().message());
    options.sha256 = std::move(*digest);
  }
  return options;
}

struct Loaded {
  detail::SideCar car;
  std::string metadata = "{}";
  std::string folder{};  // of the side-car
};

Loaded from_code(const TorchModelOptions& options) {
  if (!options.signature_path.empty()) {
    fail(options.path, "give signature or signature_path, not both");
  }
  if (Result<void> valid = options.signature.validate(); !valid) {
    fail(options.path, "signature: " + valid.error().message());
  }
  Loaded loaded;
  loaded.car.signature = options.signature;
  return loaded;
}

Loaded from_side_car(const TorchModelOptions& options) {
  std::string path = options.signature_path;
  if (path.empty()) path = std::filesystem::path(options.path).replace_extension(".json").string();
  const Result<Bytes> text = detail::read_file(path, kMaxSideCar);
  if (!text) fail(options.path, "no signature: " + path + ": " + text.error().message());
  Result<detail::SideCar> car = detail::parse_side_car(text->text());
  if (!car) fail(options.path, "signature " + path + ": " + car.error().message());
  return {std::move(*car), text->to_string(), std::filesystem::path(path).parent_path().string()};
}

Loaded load_signature(const TorchModelOptions& options) {
  const bool in_code = !options.signature.inputs.empty() || !options.signature.outputs.empty();
  return in_code ? from_code(options) : from_side_car(options);
}

std::string check_digest(const TorchModelOptions& options, const detail::SideCar& car,
                         const Bytes& file) {
  std::string digest = detail::sha256_hex(file.view());
  if (!options.sha256.empty() && options.sha256 != digest) {
    fail(options.path, "its SHA-256 is " + digest + ", not the pinned " + options.sha256);
  }
  if (!car.sha256.empty() && car.sha256 != digest) {
    fail(options.path, "its SHA-256 is " + digest + ", the side-car says " + car.sha256);
  }
  return digest;
}

std::string choose_name(const TorchModelOptions& options, const detail::SideCar& car) {
  if (!options.name.empty()) return options.name;
  return car.name.empty() ? std::filesystem::path(options.path).stem().string() : car.name;
}

}  // namespace

struct TorchModel::Impl {
  explicit Impl(TorchModelOptions given);

  detail::ScriptOptions script_options() const {
    return {options.device, options.freeze, options.optimize_for_inference, options.bf16};
  }
  void check_module();
  void measure_blas();
  void tell() const;
  Result<std::unique_ptr<ScriptModule>> next_module();

  const TorchModelOptions options;
  Loaded loaded;
  std::string name;
  std::string sha256;
  bool sample_checked = false;
  BlasInfo blas;
  std::atomic<int> created{0};

  std::mutex mutex;
  std::unique_ptr<ScriptModule> first;  // made by the constructor, waits for its worker
};

TorchModel::Impl::Impl(TorchModelOptions given)
    : options(checked(std::move(given))), loaded(load_signature(options)) {
  const Result<Bytes> file = detail::read_file(options.path, kMaxModelFile);
  if (!file) fail(options.path, file.error().message());
  sha256 = check_digest(options, loaded.car, *file);
  name = choose_name(options, loaded.car);

  const detail::IntraOpThreads threads(options.intra_op_threads);
  detail::set_blas_threads(options.intra_op_threads);
  Result<std::unique_ptr<ScriptModule>> module =
      detail::load_script_module(file->view(), loaded.car.signature, script_options());
  if (!module) fail(options.path, module.error().message());
  first = std::move(*module);
  if (options.check_at_load) check_module();
  measure_blas();
  tell();
}

void TorchModel::Impl::check_module() {
  const Signature& signature = loaded.car.signature;
  if (Result<void> fits = detail::check_zeros(*first, signature, options.check_length); !fits) {
    fail(options.path, fits.error().message());
  }
  if (!loaded.car.sample) return;
  const double tolerance = options.bf16 ? kBf16Tolerance : 0;
  const Result<bool> same =
      detail::check_sample(*first, signature, *loaded.car.sample, loaded.folder, tolerance);
  if (!same) fail(options.path, "sample: " + same.error().message());
  sample_checked = *same;
}

void TorchModel::Impl::measure_blas() {
  blas = detail::find_blas();
  blas.gflops = detail::measure_gflops();
}

void TorchModel::Impl::tell() const {
  const auto to = [this](Logger& log) {
    log.info("model loaded", {{"model", name},
                              {"path", options.path},
                              {"sha256", sha256},
                              {"blas", blas.name},
                              {"gflops", blas.gflops}});
    if (!blas.slow()) return;
    log.warn(
        "the BLAS is slow, batching will not pay: install libopenblas0-pthread",
        {{"model", name}, {"blas", blas.name}, {"library", blas.library}, {"gflops", blas.gflops}});
  };
  if (options.telemetry != nullptr) return to(options.telemetry->log());
  if (!blas.slow()) return;
  Logger log({.level = LogLevel::warn});
  to(log);
}

Result<std::unique_ptr<ScriptModule>> TorchModel::Impl::next_module() {
  {
    const std::scoped_lock lock(mutex);
    if (first != nullptr) return std::move(first);
  }
  const Result<Bytes> file = detail::read_file(options.path, kMaxModelFile);
  if (!file) {
    return Error(Errc::unavailable, "the model file cannot be read again")
        .with_detail(options.path + ": " + file.error().message());
  }
  if (detail::sha256_hex(file->view()) != sha256) {
    return Error(Errc::data_loss, "the model file has changed since it was loaded")
        .with_detail(options.path);
  }
  return detail::load_script_module(file->view(), loaded.car.signature, script_options());
}

TorchModel::TorchModel(TorchModelOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

TorchModel::~TorchModel() = default;

const Signature& TorchModel::signature() const noexcept { return impl_->loaded.car.signature; }
const std::string& TorchModel::name() const noexcept { return impl_->name; }
int TorchModel::instances() const noexcept { return impl_->options.instances; }
std::int64_t TorchModel::sample_length() const noexcept { return impl_->options.check_length; }
bool TorchModel::may_check_rows() const noexcept { return impl_->options.check_rows; }
double TorchModel::row_tolerance() const noexcept {
  return impl_->options.bf16 ? kBf16Tolerance : Model::row_tolerance();
}
const BlasInfo& TorchModel::blas() const noexcept { return impl_->blas; }
const std::string& TorchModel::sha256() const noexcept { return impl_->sha256; }
const std::string& TorchModel::version() const noexcept { return impl_->loaded.car.version; }
const std::string& TorchModel::metadata() const noexcept { return impl_->loaded.metadata; }

Result<std::unique_ptr<ModelInstance>> TorchModel::create_instance(int) {
  const detail::IntraOpThreads threads(impl_->options.intra_op_threads);
  Result<std::unique_ptr<ScriptModule>> module = impl_->next_module();
  if (!module) return module.error();
  impl_->created.fetch_add(1, std::memory_order_relaxed);
  return std::unique_ptr<ModelInstance>(
      std::make_unique<detail::TorchInstance>(std::move(*module), impl_->options));
}

std::string TorchModel::status() const {
  const TorchModelOptions& options = impl_->options;
  detail::JsonText json;
  json.begin_object();
  json.key("name").string(impl_->name);
  json.key("version").string(version());
  json.key("path").string(options.path);
  json.key("sha256").string(impl_->sha256);
  json.key("sample_checked").boolean(impl_->sample_checked);
  json.key("device").string(options.device);
  json.key("bf16").boolean(options.bf16);
  json.key("intra_op_threads").number(options.intra_op_threads);
  json.key("instances_created").number(impl_->created.load(std::memory_order_relaxed));
  json.key("libtorch").string(detail::libtorch_version());
  json.key("blas").begin_object();
  json.key("name").string(impl_->blas.name);
  json.key("library").string(impl_->blas.library);
  json.key("gflops").number(impl_->blas.gflops);
  json.key("slow").boolean(impl_->blas.slow());
  json.end_object();
  json.end_object();
  return std::move(json).text();
}

}  // namespace aiserve::inline v0
