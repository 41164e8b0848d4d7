#include "aiserve/serving/model.hpp"

namespace aiserve::inline v0 {
namespace {

class CallableInstance final : public ModelInstance {
 public:
  explicit CallableInstance(const CallableModel::Function& function) noexcept
      : function_(function) {}
  Result<void> run(Batch& batch) override { return function_(batch); }
  // The function may have effects, so it sees no rows but real ones.
  Result<void> warm_up(Batch& /*batch*/) override { return success(); }

 private:
  const CallableModel::Function& function_;
};

}  // namespace

CallableModel::CallableModel(CallableModelOptions options, Function function)
    : options_(std::move(options)), function_(std::move(function)) {
  if (!function_) throw ConfigError("model " + options_.name + ": no function");
  if (options_.instances < 1 || options_.instances > 256) {
    throw ConfigError("model " + options_.name + ": instances must be 1 to 256");
  }
  if (const Result<void> valid = options_.signature.validate(); !valid) {
    throw ConfigError("model " + options_.name + ": " + valid.error().message());
  }
}

Result<std::unique_ptr<ModelInstance>> CallableModel::create_instance(int /*index*/) {
  return std::unique_ptr<ModelInstance>(std::make_unique<CallableInstance>(function_));
}

}  // namespace aiserve::inline v0
