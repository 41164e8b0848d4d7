#include "rivals/cache_policies.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace bench {
namespace {

class Lru final : public CachePolicy {
 public:
  Lru(std::size_t capacity, std::size_t keys) : capacity_(capacity), links_(keys) {}

  bool access(std::uint32_t key) override {
    const bool hit = list_.has(key);
    if (hit) {
      list_.remove(key);
    } else if (list_.size() == capacity_) {
      list_.pop_back();
    }
    list_.push_front(key);
    return hit;
  }

 private:
  std::size_t capacity_;
  KeyLinks links_;
  KeyList list_{links_, 1};
};

// The names are those of the paper: t1, t2 hold keys, b1, b2 remember what left them.
class Arc final : public CachePolicy {
 public:
  Arc(std::size_t capacity, std::size_t keys) : c_(capacity), links_(keys) {}

  bool access(std::uint32_t key) override {
    if (t1_.has(key) || t2_.has(key)) {
      (t1_.has(key) ? t1_ : t2_).remove(key);
      t2_.push_front(key);
      return true;
    }
    if (b1_.has(key)) {
      p_ = std::min(c_, p_ + std::max<std::size_t>(1, b2_.size() / b1_.size()));
      replace(false);
      b1_.remove(key);
      t2_.push_front(key);
      return false;
    }
    if (b2_.has(key)) {
      const std::size_t less = std::max<std::size_t>(1, b1_.size() / b2_.size());
      p_ = p_ > less ? p_ - less : 0;
      replace(true);
      b2_.remove(key);
      t2_.push_front(key);
      return false;
    }
    admit(key);
    return false;
  }

 private:
  void admit(std::uint32_t key) {
    if (t1_.size() + b1_.size() == c_) {
      if (t1_.size() < c_) {
        b1_.pop_back();
        replace(false);
      } else {
        t1_.pop_back();
      }
    } else if (t1_.size() + t2_.size() + b1_.size() + b2_.size() >= c_) {
      if (t1_.size() + t2_.size() + b1_.size() + b2_.size() == 2 * c_) b2_.pop_back();
      replace(false);
    }
    t1_.push_front(key);
  }
  void replace(bool in_b2) {
    if (t1_.size() + t2_.size() < c_) return;
    if (!t1_.empty() && (t1_.size() > p_ || (in_b2 && t1_.size() == p_) || t2_.empty())) {
      b1_.push_front(t1_.pop_back());
    } else {
      b2_.push_front(t2_.pop_back());
    }
  }

  std::size_t c_;
  std::size_t p_ = 0;
  KeyLinks links_;
  KeyList t1_{links_, 1};
  KeyList t2_{links_, 2};
  KeyList b1_{links_, 3};
  KeyList b2_{links_, 4};
};

class Sieve final : public CachePolicy {
 public:
  Sieve(std::size_t capacity, std::size_t keys)
      : capacity_(capacity), links_(keys), visited_(keys) {}

  bool access(std::uint32_t key) override {
    if (list_.has(key)) {
      visited_[key] = 1;
      return true;
    }
    if (list_.size() == capacity_) evict();
    list_.push_front(key);
    visited_[key] = 0;
    return false;
  }

 private:
  void evict() {
    std::uint32_t at = hand_ == KeyList::kNone ? list_.back() : hand_;
    while (visited_[at] != 0) {
      visited_[at] = 0;
      at = list_.before(at);
      if (at == KeyList::kNone) at = list_.back();
    }
    hand_ = list_.before(at);
    list_.remove(at);
  }

  std::size_t capacity_;
  KeyLinks links_;
  KeyList list_{links_, 1};
  std::vector<std::uint8_t> visited_;
  std::uint32_t hand_ = KeyList::kNone;
};

class S3Fifo final : public CachePolicy {
 public:
  S3Fifo(std::size_t capacity, std::size_t keys)
      : capacity_(capacity),
        small_capacity_(std::max<std::size_t>(1, capacity / 10)),
        links_(keys),
        frequency_(keys) {}

  bool access(std::uint32_t key) override {
    if (small_.has(key) || main_.has(key)) {
      frequency_[key] = std::min<std::uint8_t>(3, frequency_[key] + 1);
      return true;
    }
    const bool ghost = ghost_.has(key);
    if (ghost) ghost_.remove(key);
    while (small_.size() + main_.size() >= capacity_) evict();
    frequency_[key] = 0;
    (ghost ? main_ : small_).push_front(key);
    return false;
  }

 private:
  void evict() {
    if (small_.size() >= small_capacity_ || main_.empty()) {
      evict_small();
    } else {
      evict_main();
    }
  }
  void evict_small() {
    const std::uint32_t key = small_.pop_back();
    if (frequency_[key] > 1) {
      frequency_[key] = 0;
      main_.push_front(key);
      return;
    }
    ghost_.push_front(key);
    if (ghost_.size() > capacity_ - small_capacity_) ghost_.pop_back();
  }
  void evict_main() {
    for (;;) {
      const std::uint32_t key = main_.pop_back();
      if (frequency_[key] == 0) return;
      --frequency_[key];
      main_.push_front(key);
    }
  }

  std::size_t capacity_;
  std::size_t small_capacity_;
  KeyLinks links_;
  KeyList small_{links_, 1};
  KeyList main_{links_, 2};
  KeyList ghost_{links_, 3};
  std::vector<std::uint8_t> frequency_;
};

// Counts to 15, four rows, halved after ten times the capacity.
class CountMin {
 public:
  explicit CountMin(std::size_t capacity)
      : mask_(std::bit_ceil(std::max<std::size_t>(64, capacity)) - 1), sample_(10 * capacity) {
    for (auto& row : rows_) row.assign(mask_ + 1, 0);
  }
  void add(std::uint32_t key) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      std::uint8_t& cell = rows_[i][place(key, i)];
      if (cell < 15) ++cell;
    }
    if (++added_ < sample_) return;
    added_ /= 2;
    for (auto& row : rows_) {
      for (std::uint8_t& cell : row) cell /= 2;
    }
  }
  std::uint8_t estimate(std::uint32_t key) const {
    std::uint8_t least = 15;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      least = std::min(least, rows_[i][place(key, i)]);
    }
    return least;
  }

 private:
  std::size_t place(std::uint32_t key, std::size_t row) const {
    std::uint64_t x = (key + 1) * (0x9e3779b97f4a7c15ULL + 2 * row);
    x ^= x >> 31;
    x *= 0xbf58476d1ce4e5b9ULL;
    return (x >> 29) & mask_;
  }

  std::size_t mask_;
  std::size_t sample_;
  std::size_t added_ = 0;
  std::array<std::vector<std::uint8_t>, 4> rows_;
};

class WTinyLfu final : public CachePolicy {
 public:
  WTinyLfu(std::size_t capacity, std::size_t keys)
      : window_capacity_(std::max<std::size_t>(1, capacity / 100)),
        main_capacity_(capacity - window_capacity_),
        protected_capacity_(main_capacity_ * 8 / 10),
        links_(keys),
        sketch_(capacity) {}

  bool access(std::uint32_t key) override {
    sketch_.add(key);
    if (window_.has(key)) {
      window_.remove(key);
      window_.push_front(key);
      return true;
    }
    if (protected_.has(key) || probation_.has(key)) {
      promote(key);
      return true;
    }
    window_.push_front(key);
    if (window_.size() > window_capacity_) leave_window();
    return false;
  }

 private:
  void promote(std::uint32_t key) {
    (protected_.has(key) ? protected_ : probation_).remove(key);
    protected_.push_front(key);
    if (protected_.size() > protected_capacity_) probation_.push_front(protected_.pop_back());
  }
  void leave_window() {
    const std::uint32_t candidate = window_.pop_back();
    if (probation_.size() + protected_.size() < main_capacity_) {
      probation_.push_front(candidate);
      return;
    }
    KeyList& from = probation_.empty() ? protected_ : probation_;
    if (from.empty() || sketch_.estimate(candidate) <= sketch_.estimate(from.back())) return;
    from.pop_back();
    probation_.push_front(candidate);
  }

  std::size_t window_capacity_;
  std::size_t main_capacity_;
  std::size_t protected_capacity_;
  KeyLinks links_;
  KeyList window_{links_, 1};
  KeyList probation_{links_, 2};
  KeyList protected_{links_, 3};
  CountMin sketch_;
};

}  // namespace

std::unique_ptr<CachePolicy> make_lru(std::size_t capacity, std::size_t keys) {
  return std::make_unique<Lru>(capacity, keys);
}
std::unique_ptr<CachePolicy> make_arc(std::size_t capacity, std::size_t keys) {
  return std::make_unique<Arc>(capacity, keys);
}
std::unique_ptr<CachePolicy> make_sieve(std::size_t capacity, std::size_t keys) {
  return std::make_unique<Sieve>(capacity, keys);
}
std::unique_ptr<CachePolicy> make_s3_fifo(std::size_t capacity, std::size_t keys) {
  return std::make_unique<S3Fifo>(capacity, keys);
}
std::unique_ptr<CachePolicy> make_w_tinylfu(std::size_t capacity, std::size_t keys) {
  return std::make_unique<WTinyLfu>(capacity, keys);
}

}  // namespace bench
