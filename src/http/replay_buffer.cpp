#include "http/replay_buffer.hpp"

#include <algorithm>
#include <utility>

namespace aiserve::inline v0::http::detail {

ReplayBuffer::ReplayBuffer(std::size_t max_events, std::size_t max_bytes, std::string epoch)
    : max_events_(max_events),
      max_bytes_(max_bytes),
      epoch_(std::move(epoch)),
      last_id_(epoch_ + "-0") {}

std::string ReplayBuffer::next_id() const { return epoch_ + "-" + std::to_string(count_ + 1); }

void ReplayBuffer::add(std::string id, Bytes wire) {
  ++count_;
  last_id_ = id;
  bytes_ += wire.size();
  entries_.push_back({std::move(id), std::move(wire)});
  while (entries_.size() > max_events_ || bytes_ > max_bytes_) {
    bytes_ -= entries_.front().wire.size();
    entries_.pop_front();
  }
}

std::optional<std::vector<Bytes>> ReplayBuffer::after(std::string_view id) const {
  if (id == last_id_) return std::vector<Bytes>();
  // From the newest on: who was away for a moment is found soon, and an id that a host has used
  // twice means its last use.
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].id == id) return from(i + 1);
  }
  return std::nullopt;
}

std::vector<Bytes> ReplayBuffer::newest(std::size_t count) const {
  return from(entries_.size() - std::min(count, entries_.size()));
}

std::vector<Bytes> ReplayBuffer::from(std::size_t position) const {
  std::vector<Bytes> wires;
  wires.reserve(entries_.size() - position);
  for (std::size_t i = position; i < entries_.size(); ++i) wires.push_back(entries_[i].wire);
  return wires;
}

}  // namespace aiserve::inline v0::http::detail
