// IntrusivePtr: shared ownership with the count inside the object: one allocation, one word, and
// the raw pointer can travel through an intrusive list.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace aiserve::inline v0::detail {

class RefCounted {
 public:
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 protected:
  RefCounted() noexcept = default;
  virtual ~RefCounted() = default;

 private:
  std::atomic<std::uint32_t> references_{1};
};

template <class T>
class IntrusivePtr {
 public:
  IntrusivePtr() noexcept = default;
  /// Adopts the reference that the object was created with.
  static IntrusivePtr adopt(T* object) noexcept { return IntrusivePtr(object); }
  static IntrusivePtr share(T* object) noexcept {
    if (object != nullptr) object->retain();
    return IntrusivePtr(object);
  }
  IntrusivePtr(const IntrusivePtr& other) noexcept : object_(other.object_) {
    if (object_ != nullptr) object_->retain();
  }
  IntrusivePtr(IntrusivePtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  IntrusivePtr& operator=(IntrusivePtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~IntrusivePtr() {
    if (object_ != nullptr) object_->release();
  }

  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  T* detach() noexcept { return std::exchange(object_, nullptr); }
  friend bool operator==(const IntrusivePtr& a, const IntrusivePtr& b) noexcept = default;

 private:
  explicit IntrusivePtr(T* object) noexcept : object_(object) {}
  T* object_ = nullptr;
};

template <class T, class... Args>
IntrusivePtr<T> make_intrusive(Args&&... args) {
  return IntrusivePtr<T>::adopt(new T(std::forward<Args>(args)...));
}

}  // namespace aiserve::inline v0::detail
