// ReplayBuffer: the newest events of a channel, for clients that come back. Bounded in number and
// bytes. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/core/bytes.hpp"

namespace aiserve::inline v0::http::detail {

class ReplayBuffer {
 public:
  // `epoch` tells the ids of this buffer from those of another process.
  ReplayBuffer(std::size_t max_events, std::size_t max_bytes, std::string epoch);

  // The id for an event that has none.
  std::string next_id() const;
  // `wire` has been given this id.
  void add(std::string id, Bytes wire);
  // Of the newest event, also when it is not kept any more.
  const std::string& last_id() const noexcept { return last_id_; }

  // What came after that id, oldest first; nothing if it is not known (any more).
  std::optional<std::vector<Bytes>> after(std::string_view id) const;
  std::vector<Bytes> newest(std::size_t count) const;

 private:
  struct Entry {
    std::string id;
    Bytes wire;
  };
  std::vector<Bytes> from(std::size_t position) const;

  const std::size_t max_events_;
  const std::size_t max_bytes_;
  const std::string epoch_;
  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
  std::uint64_t count_ = 0;  // ever
  std::string last_id_;
};

}  // namespace aiserve::inline v0::http::detail
