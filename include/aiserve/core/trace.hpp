/// TraceParent: where a request stands in a distributed trace (W3C Trace Context, Level 1).
///
/// parse() is strict as the recommendation asks: lower-case hex, no version ff, no all-zero ids,
/// nothing behind version 00, and of later versions only the part that is known. A header that
/// does not parse means "no parent": start a trace of your own with generate().
/// *Thread safety:* a value; generate() and child() from any thread.
///
///     TraceParent incoming = TraceParent::parse(header).value_or(TraceParent::generate());
///     TraceParent mine = incoming.child();  // same trace, span id of its own
///     call.set_header("traceparent", mine.text());
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0 {

/// Lower-case hexadecimal digits of fixed length, without the heap.
template <std::size_t N>
class HexText {
 public:
  constexpr explicit HexText(const std::array<char, N>& characters) noexcept
      : characters_(characters) {}
  constexpr std::string_view view() const noexcept { return {characters_.data(), N}; }
  constexpr operator std::string_view() const noexcept { return view(); }

 private:
  std::array<char, N> characters_;
};

class TraceParent {
 public:
  using TraceId = std::array<std::uint8_t, 16>;
  using SpanId = std::array<std::uint8_t, 8>;

  /// No trace: valid() is false, text() is all zeros.
  constexpr TraceParent() noexcept = default;
  constexpr TraceParent(const TraceId& trace_id, const SpanId& span_id, bool sampled) noexcept
      : trace_id_(trace_id), span_id_(span_id), sampled_(sampled) {}

  /// Reads a traceparent header value; nothing when it breaks a rule.
  static std::optional<TraceParent> parse(std::string_view header) noexcept;
  /// A new trace with random ids.
  static TraceParent generate(bool sampled = false) noexcept;
  /// The same trace and flag with a new span id; of an invalid parent, a new trace.
  TraceParent child() const noexcept;

  constexpr bool valid() const noexcept { return trace_id_ != TraceId{} && span_id_ != SpanId{}; }
  constexpr const TraceId& trace_id() const noexcept { return trace_id_; }
  constexpr const SpanId& span_id() const noexcept { return span_id_; }
  constexpr bool sampled() const noexcept { return sampled_; }

  /// The header value: "00-<32 hex>-<16 hex>-<flags>".
  HexText<55> text() const noexcept;
  HexText<32> trace_text() const noexcept;
  HexText<16> span_text() const noexcept;

  friend constexpr bool operator==(const TraceParent&, const TraceParent&) noexcept = default;

 private:
  TraceId trace_id_{};
  SpanId span_id_{};
  bool sampled_ = false;
};

/// Upper bound of the tracestate that is carried on.
inline constexpr std::size_t kMaxTraceState = 512;

/// The part of a tracestate header that is passed on, as it came. Longer than 512 bytes: entries
/// over 128 bytes go first, then entries from the end (W3C Trace Context 3.3.1.5). A value with
/// bytes outside printable ASCII and tab is dropped whole.
std::string bounded_trace_state(std::string_view header);

}  // namespace aiserve::inline v0
