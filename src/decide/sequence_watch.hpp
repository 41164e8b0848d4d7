// SequenceWatch: notices when messages of a sender are missing. Pure.
//
// A sender numbers its messages from 1 and repeats its latest number from time to time (a beat). A
// number that is skipped, also the last, is a gap: what it said will never be known. So is the
// beginning of a sender that is heard for the first time in the middle, and the end of one that
// falls silent without a farewell: it may have said more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

class SequenceWatch {
 public:
  using Sender = std::uint64_t;
  enum class Verdict : std::uint8_t {
    apply,   ///< the next one
    ignore,  ///< heard before
    gap,     ///< some are missing
  };

  /// Of `max_senders` at most; `patience`: a sender that is not heard for longer is silent.
  SequenceWatch(std::size_t max_senders, Nanos patience) noexcept
      : max_senders_(max_senders), patience_(patience) {}

  Verdict message(Sender sender, std::uint64_t number, Nanos now);
  /// `latest`: of the sender's messages so far. Never `apply`.
  Verdict beat(Sender sender, std::uint64_t latest, Nanos now);
  /// The sender's last words.
  Verdict farewell(Sender sender, std::uint64_t latest, Nanos now);
  /// True, once, if a sender has fallen silent: a gap.
  bool silence(Nanos now);

  std::size_t senders() const noexcept { return senders_.size(); }

 private:
  struct Heard {
    std::uint64_t number = 0;
    Nanos at = 0;
    bool left = false;
  };
  Heard& of(Sender sender, Nanos now);

  std::size_t max_senders_;
  Nanos patience_;
  std::unordered_map<Sender, Heard> senders_;
};

// Too many senders are forgotten all together: those that go on begin anew, each with a gap.
inline SequenceWatch::Heard& SequenceWatch::of(Sender sender, Nanos now) {
  if (senders_.size() >= max_senders_ && !senders_.contains(sender)) senders_.clear();
  Heard& heard = senders_[sender];
  heard.at = now;
  heard.left = false;
  return heard;
}

inline SequenceWatch::Verdict SequenceWatch::message(Sender sender, std::uint64_t number,
                                                     Nanos now) {
  Heard& heard = of(sender, now);
  if (number <= heard.number) return Verdict::ignore;
  const bool next = number - heard.number == 1;
  heard.number = number;
  return next ? Verdict::apply : Verdict::gap;
}

inline SequenceWatch::Verdict SequenceWatch::beat(Sender sender, std::uint64_t latest, Nanos now) {
  Heard& heard = of(sender, now);
  if (latest <= heard.number) return Verdict::ignore;
  heard.number = latest;
  return Verdict::gap;
}

inline SequenceWatch::Verdict SequenceWatch::farewell(Sender sender, std::uint64_t latest,
                                                      Nanos now) {
  const Verdict verdict = beat(sender, latest, now);
  of(sender, now).left = true;
  return verdict;
}

inline bool SequenceWatch::silence(Nanos now) {
  bool lost = false;
  std::erase_if(senders_, [&](const auto& one) {
    const bool silent = now > one.second.at && now - one.second.at > patience_;
    lost = lost || (silent && !one.second.left);
    return silent;
  });
  return lost;
}

}  // namespace aiserve::inline v0::decide
