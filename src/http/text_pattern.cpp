#include "http/text_pattern.hpp"

#include <algorithm>
#include <string>

#include "core/utf8.hpp"
#include "http/pattern_parser.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using Op = TextPattern::Instruction::Op;

constexpr std::size_t kMaxProgram = 2000;
constexpr std::size_t kMaxSteps = 100'000;  // what is empty may be repeated for nothing

class Emitter {
 public:
  Emitter(std::vector<TextPattern::Instruction>& program, std::vector<CharSet>& sets)
      : program_(program), sets_(sets) {}

  void emit(const PatternNode& node) {
    if (++steps_ > kMaxSteps) refuse_pattern("repeats too much");
    switch (node.kind) {
      case PatternNode::Kind::set:
        sets_.push_back(node.set);
        add(Op::set, sets_.size() - 1);
        return;
      case PatternNode::Kind::begin:
        add(Op::begin);
        return;
      case PatternNode::Kind::end:
        add(Op::end);
        return;
      case PatternNode::Kind::sequence:
        for (const PatternNode& part : node.parts) emit(part);
        return;
      case PatternNode::Kind::either:
        return emit_either(node);
      case PatternNode::Kind::repeat:
        return emit_repeat(node);
    }
  }
  void finish() { add(Op::match); }

 private:
  std::size_t add(Op op, std::size_t to = 0, std::size_t other = 0) {
    if (program_.size() >= kMaxProgram)
      refuse_pattern("is too long once its repetitions are written out");
    program_.push_back({op, static_cast<std::uint32_t>(to), static_cast<std::uint32_t>(other)});
    return program_.size() - 1;
  }
  std::uint32_t here() const noexcept { return static_cast<std::uint32_t>(program_.size()); }

  void emit_either(const PatternNode& node) {
    std::vector<std::size_t> ends;
    ends.reserve(node.parts.size());
    for (std::size_t i = 0; i + 1 < node.parts.size(); ++i) {
      const std::size_t split = add(Op::split, here() + 1);
      emit(node.parts[i]);
      ends.push_back(add(Op::jump));
      program_[split].other = here();
    }
    emit(node.parts.back());
    for (const std::size_t end : ends) program_[end].to = here();
  }

  void emit_repeat(const PatternNode& node) {
    const PatternNode& body = node.parts.front();
    for (unsigned i = 0; i < node.least; ++i) emit(body);
    if (node.most == PatternNode::kNoLimit) {
      const std::size_t split = add(Op::split, here() + 1);
      emit(body);
      add(Op::jump, split);
      program_[split].other = here();
      return;
    }
    std::vector<std::size_t> splits;
    splits.reserve(node.most - node.least);
    for (unsigned i = node.least; i < node.most; ++i) {
      splits.push_back(add(Op::split, here() + 1));
      emit(body);
    }
    for (const std::size_t split : splits) program_[split].other = here();
  }

  std::vector<TextPattern::Instruction>& program_;
  std::vector<CharSet>& sets_;
  std::size_t steps_ = 0;
};

// The states a pattern is in, each once.
class States {
 public:
  explicit States(std::size_t size) : seen_(size, 0) {}

  void clear() {
    at_.clear();
    ++round_;
  }
  bool insert(std::uint32_t state) {
    if (seen_[state] == round_) return false;
    seen_[state] = round_;
    return true;
  }
  void keep(std::uint32_t state) { at_.push_back(state); }
  const std::vector<std::uint32_t>& all() const noexcept { return at_; }

 private:
  std::vector<std::size_t> seen_;  // the round in which a state was met last
  std::vector<std::uint32_t> at_;
  std::size_t round_ = 1;
};

// Where in the text the states are asked for.
struct Edge {
  bool begin;
  bool end;
};

// Follows what consumes no character from `from` on. True if the pattern has matched.
bool follow(const std::vector<TextPattern::Instruction>& program, std::uint32_t from, Edge edge,
            States& states, std::vector<std::uint32_t>& pending) {
  pending.assign(1, from);
  while (!pending.empty()) {
    const std::uint32_t at = pending.back();
    pending.pop_back();
    if (!states.insert(at)) continue;
    const TextPattern::Instruction& step = program[at];
    if (step.op == Op::match) return true;
    if (step.op == Op::set) states.keep(at);
    if (step.op == Op::split) pending.push_back(step.other);
    if (step.op == Op::split || step.op == Op::jump) pending.push_back(step.to);
    if ((step.op == Op::begin && edge.begin) || (step.op == Op::end && edge.end)) {
      pending.push_back(at + 1);
    }
  }
  return false;
}

}  // namespace

bool CharSet::contains(char32_t c) const noexcept {
  const bool inside = std::any_of(ranges.begin(), ranges.end(), [c](const Range& range) {
    return c >= range.first && c <= range.last;
  });
  return inside != negated;
}

TextPattern::TextPattern(std::string_view pattern) {
  Emitter emitter(program_, sets_);
  emitter.emit(parse_pattern(pattern));
  emitter.finish();
}

bool TextPattern::matches(std::string_view text) const {
  States now(program_.size());
  States next(program_.size());
  std::vector<std::uint32_t> pending;
  if (follow(program_, 0, {true, text.empty()}, now, pending)) return true;
  while (!text.empty()) {
    const auto step = v0::detail::next_utf8(text);
    text.remove_prefix(step.length);
    next.clear();
    for (const std::uint32_t at : now.all()) {
      if (!sets_[program_[at].to].contains(step.code)) continue;
      if (follow(program_, at + 1, {false, text.empty()}, next, pending)) return true;
    }
    if (follow(program_, 0, {false, text.empty()}, next, pending)) return true;
    std::swap(now, next);
  }
  return false;
}

}  // namespace aiserve::inline v0::http::detail
