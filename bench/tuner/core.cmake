# tuner_core: what of aiserve-bench does not need aiserve: all that is pure, the loads and the HTTP
# client. The unit tests link it without the rest of the benchmarks.
include_guard(GLOBAL)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)

set(files
  advice.cpp
  arguments.cpp
  arrivals.cpp
  axis.cpp
  closed_loop.cpp
  compare.cpp
  fair_share.cpp
  help_text.cpp
  html_report.cpp
  http_target.cpp
  http_text.cpp
  knee.cpp
  latency_histogram.cpp
  load_keys.cpp
  load_result.cpp
  model_spec.cpp
  open_loop.cpp
  parse.cpp
  progress.cpp
  prompt_thread.cpp
  recorder.cpp
  run_file.cpp
  send_proof.cpp
  statistics.cpp
  svg_plot.cpp
  svg_timeline.cpp
  timeline.cpp)
list(TRANSFORM files PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
add_library(tuner_core STATIC ${files})
target_compile_features(tuner_core PUBLIC cxx_std_20)
target_include_directories(tuner_core PUBLIC ${CMAKE_CURRENT_LIST_DIR}/..)
target_link_libraries(tuner_core
  PUBLIC fmt::fmt Threads::Threads
  PRIVATE nlohmann_json::nlohmann_json aiserve_warnings)
