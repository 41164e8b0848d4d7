#include "serving/sequence_tensors.hpp"

#include <algorithm>

#include "serving/element.hpp"

namespace aiserve::inline v0::detail {
namespace {

[[noreturn]] void fail(const std::string& option, const std::string& why) {
  throw ConfigError("sequences: " + option + ": " + why);
}

const TensorSpec* find(const std::vector<TensorSpec>& specs, const std::string& name) noexcept {
  const auto found = std::ranges::find(specs, name, &TensorSpec::name);
  return found == specs.end() ? nullptr : &*found;
}

// Precondition: the row is of fixed shape and its type can hold the value.
Tensor filled(const TensorSpec& spec, double value) {
  MutableBytes bytes(spec.row_bytes());
  fill_elements(bytes.span(), *encode_element(spec.dtype(), value));
  return Tensor::make(spec.dtype(), spec.row_shape(), std::move(bytes).freeze()).value();
}

bool same_row(const TensorSpec& a, const TensorSpec& b) noexcept {
  return a.dtype() == b.dtype() && a.shape() == b.shape();
}

}  // namespace

SequenceTensors::SequenceTensors(const Signature& signature, const SequenceOptions& options)
    : signature_(signature) {
  for (const TensorSpec& spec : signature.inputs) {
    if (spec.name() != options.batcher.shapes.mask) brought_.push_back(&spec);
  }
  for (const SequenceState& state : options.state) add_state(state);
  if (!options.start_input.empty()) add_start(options.start_input);
  if (!options.slot_input.empty()) add_slot(options.slot_input);
  if (state_.empty() && slot_ == nullptr) fail("state", "no step would depend on another");
}

// The input is the batcher's from now on.
const TensorSpec& SequenceTensors::claim(const std::string& option, const std::string& name) {
  const auto found = std::ranges::find(brought_, name, &TensorSpec::name);
  if (found == brought_.end()) {
    const bool known = find(signature_.inputs, name) != nullptr;
    fail(option, known ? "'" + name + "' is used twice" : "the model has no input '" + name + "'");
  }
  const TensorSpec& spec = **found;
  if (spec.variable_dims() != 0) fail(option, "'" + name + "' has rows of any length");
  brought_.erase(found);
  return spec;
}

void SequenceTensors::add_state(const SequenceState& state) {
  const TensorSpec* output = find(signature_.outputs, state.output);
  if (output == nullptr) fail("state", "the model has no output '" + state.output + "'");
  if (std::ranges::find(state_, state.output, &SequenceState::output) != state_.end()) {
    fail("state", "'" + state.output + "' is used twice");
  }
  const TensorSpec& input = claim("state", state.input);
  if (!same_row(input, *output)) {
    fail("state", input.to_string() + " and " + output->to_string() + " differ");
  }
  state_.push_back(state);
  zeros_.push_back(filled(input, 0));
}

void SequenceTensors::add_start(const std::string& name) {
  const TensorSpec& spec = claim("start_input", name);
  for (const double value : {0.0, 1.0}) start_.push_back(filled(spec, value));
  start_input_ = name;
}

void SequenceTensors::add_slot(const std::string& name) {
  slot_ = &claim("slot_input", name);
  const bool wide = slot_->dtype() == DType::i32 || slot_->dtype() == DType::i64;
  if (!wide) fail("slot_input", "'" + name + "' must be i32 or i64");
}

Result<void> SequenceTensors::check(const TensorSet& inputs) const {
  for (const TensorSpec* spec : brought_) {
    const Tensor* tensor = inputs.find(spec->name());
    if (tensor == nullptr) {
      return Error(Errc::invalid_argument, "input '" + spec->name() + "' is missing");
    }
    if (Result<void> fits = spec->check_row(*tensor); !fits) return fits;
  }
  if (inputs.items().size() == brought_.size()) return success();
  std::string names;
  for (const TensorSpec* spec : brought_) names += " " + spec->name();
  return Error(Errc::invalid_argument, "a step brings these inputs, each once:" + names);
}

TensorSet SequenceTensors::row(const TensorSet& inputs, const SequenceRow& own) const {
  TensorSet row = inputs;
  for (std::size_t i = 0; i < state_.size(); ++i) {
    row.add(state_[i].input, own.state && !own.start ? (*own.state)[i] : zeros_[i]);
  }
  if (!start_.empty()) row.add(start_input_, start_[own.start ? 1 : 0]);
  if (slot_ != nullptr) row.add(slot_->name(), filled(*slot_, own.slot));
  return row;
}

StateTensors SequenceTensors::take_state(const TensorSet& outputs) const {
  auto state = std::make_shared<std::vector<Tensor>>();
  state->reserve(state_.size());
  // A slice would keep the rows of all others in its batch alive as well.
  for (const SequenceState& one : state_) {
    state->push_back(outputs.find(one.output)->compact());
  }
  return state;
}

TensorSet SequenceTensors::answer(const TensorSet& outputs) const {
  TensorSet answer;
  for (const NamedTensor& item : outputs.items()) {
    const bool carried =
        std::ranges::find(state_, item.name(), &SequenceState::output) != state_.end();
    if (!carried) answer.add(item.name(), item.tensor());
  }
  return answer;
}

std::size_t SequenceTensors::state_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const Tensor& zeros : zeros_) bytes += zeros.payload().size();
  return bytes;
}

}  // namespace aiserve::inline v0::detail
