// A plot of hit ratios over time, as SVG: one panel per cache, one line per tenant.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace example {

struct Line {
  std::string name;
  std::vector<double> values;  // 0 to 1, evenly spaced in time
};

struct Panel {
  std::string title;
  std::vector<Line> lines;
};

inline void draw_panel(std::FILE* file, const Panel& panel, int left) {
  constexpr int kWidth = 360;
  constexpr int kHeight = 200;
  constexpr int kTop = 50;
  constexpr const char* kColours[] = {"#0969da", "#1a7f37", "#cf222e"};
  std::fprintf(file, "<text x='%d' y='30' class='ink' font-weight='600'>%s</text>\n", left,
               panel.title.c_str());
  std::fprintf(file, "<rect x='%d' y='%d' width='%d' height='%d' class='noise'/>\n",
               left + kWidth / 3, kTop, kWidth / 3, kHeight);
  for (int percent = 0; percent <= 100; percent += 25) {
    const int y = kTop + kHeight - kHeight * percent / 100;
    std::fprintf(file, "<path d='M%d %dh%d' class='rail'/>\n", left, y, kWidth);
    std::fprintf(file, "<text x='%d' y='%d' class='soft' text-anchor='end'>%d %%</text>\n",
                 left - 6, y + 4, percent);
  }
  for (std::size_t i = 0; i < panel.lines.size(); ++i) {
    const Line& line = panel.lines[i];
    std::fprintf(file, "<polyline fill='none' stroke='%s' stroke-width='2' points='", kColours[i]);
    for (std::size_t at = 0; at < line.values.size(); ++at) {
      const double x =
          left + kWidth * (static_cast<double>(at) + 0.5) / static_cast<double>(line.values.size());
      std::fprintf(file, "%.1f,%.1f ", x, kTop + kHeight * (1 - line.values[at]));
    }
    std::fprintf(file, "'/>\n<text x='%d' y='%d' fill='%s'>%s</text>\n",
                 left + 4 + 90 * static_cast<int>(i), kTop + kHeight + 22, kColours[i],
                 line.name.c_str());
  }
}

/// False if the file cannot be written.
inline bool write_svg(const std::string& path, const std::vector<Panel>& panels) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  const int width = static_cast<int>(panels.size()) * 430 + 10;
  std::fprintf(file,
               "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d 290' width='%d' "
               "height='290' role='img' font-family='system-ui, sans-serif' font-size='13'>\n"
               "<title>Hit ratio per tenant over time; a scanner runs in the shaded part</title>\n"
               "<style>.page{fill:#fff}.ink{fill:#1f2328}.soft{fill:#59636e}"
               ".rail{stroke:#d1d9e0}.noise{fill:#cf222e;fill-opacity:.08}"
               "@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#f0f6fc}"
               ".soft{fill:#9198a1}.rail{stroke:#3d444d}}</style>\n"
               "<rect width='100%%' height='100%%' class='page'/>\n",
               width, width);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    draw_panel(file, panels[i], 50 + 430 * static_cast<int>(i));
  }
  std::fprintf(file, "</svg>\n");
  return std::fclose(file) == 0;
}

}  // namespace example
