/// Codec<T>: how a value is kept in the cache, as bytes. Here for Bytes, std::string, Tensor and
/// TensorSet; a host specialises it for its own types.
///
/// decode() shares the payload of tensors with the entry: a hit copies no elements. What it is
/// given may come from a disk or another host, so it checks everything.
/// *Thread safety:* stateless. *Errors of decode():* data_loss when the bytes are not what encode()
/// gives.
///
///     template <> struct aiserve::Codec<Verdict> {
///       static Bytes encode(const Verdict& verdict);
///       static Result<Verdict> decode(const Bytes& bytes);
///     };
#pragma once

#include <aiserve/core/tensor.hpp>

#include <concepts>
#include <string>

namespace aiserve::inline v0 {

template <class T>
struct Codec;

template <class T>
concept Cacheable = std::copy_constructible<T> && requires(const T& value, const Bytes& bytes) {
  { Codec<T>::encode(value) } -> std::convertible_to<Bytes>;
  { Codec<T>::decode(bytes) } -> std::convertible_to<Result<T>>;
};

template <>
struct Codec<Bytes> {
  static Bytes encode(const Bytes& value) { return value.compact(); }
  static Result<Bytes> decode(const Bytes& bytes) { return bytes; }
};

template <>
struct Codec<std::string> {
  static Bytes encode(const std::string& value) { return Bytes::copy(std::string_view(value)); }
  static Result<std::string> decode(const Bytes& bytes) { return bytes.to_string(); }
};

template <>
struct Codec<Tensor> {
  static Bytes encode(const Tensor& value);
  static Result<Tensor> decode(const Bytes& bytes);
};

template <>
struct Codec<TensorSet> {
  static Bytes encode(const TensorSet& value);
  static Result<TensorSet> decode(const Bytes& bytes);
};

}  // namespace aiserve::inline v0
