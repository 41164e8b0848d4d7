// RecyclingAllocator: memory for objects of one type that come and go by the million, one at a
// time: what a thread frees it allocates again, without a look at the heap. Each thread keeps at
// most 512 pieces, and gives them back when it ends.
#pragma once

#include <cstddef>
#include <new>

namespace aiserve::inline v0::detail {

// Of one thread and one size; trivial to destroy, so that it may be used until the very end.
struct RecycledPieces {
  struct Piece {
    Piece* next;
  };
  static constexpr std::size_t kMost = 512;

  Piece* first = nullptr;
  std::size_t count = 0;
  bool closed = false;  // the thread ends

  void* take() noexcept {
    if (first == nullptr) return nullptr;
    Piece* const piece = first;
    first = piece->next;
    --count;
    return piece;
  }
  bool give(void* memory) noexcept {
    if (closed || count == kMost) return false;
    first = new (memory) Piece{first};
    ++count;
    return true;
  }
  void close() noexcept {
    closed = true;
    while (void* const memory = take()) ::operator delete(memory);
  }
};

template <class T>
class RecyclingAllocator {
 public:
  using value_type = T;

  RecyclingAllocator() noexcept = default;
  template <class U>
  RecyclingAllocator(const RecyclingAllocator<U>& /*other*/) noexcept {}

  T* allocate(std::size_t n) {
    if (kRecycles && n == 1) {
      if (void* const memory = pieces().take()) return static_cast<T*>(memory);
    }
    return static_cast<T*>(::operator new(n * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t n) noexcept {
    if (kRecycles && n == 1 && pieces().give(memory)) return;
    ::operator delete(memory);
  }
  friend bool operator==(const RecyclingAllocator& /*a*/,
                         const RecyclingAllocator& /*b*/) noexcept {
    return true;
  }

 private:
  static_assert(sizeof(T) >= sizeof(RecycledPieces::Piece));
  static_assert(alignof(T) <= alignof(std::max_align_t));
// AddressSanitizer must see every object end.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang_analyzer__)
  static constexpr bool kRecycles = false;
#else
  static constexpr bool kRecycles = true;
#endif

  static RecycledPieces& pieces() {
    static thread_local constinit RecycledPieces list;
    struct Owner {
      ~Owner() { list.close(); }
    };
    static thread_local Owner owner;
    static_cast<void>(owner);
    return list;
  }
};

}  // namespace aiserve::inline v0::detail
