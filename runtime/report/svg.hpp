#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Reports as one HTML page without scripts or anything from elsewhere. Pure: from figures to text.
namespace gnomon::report {

/// `text` for the content of an element or the value of an attribute, whatever is in it. What is not printable becomes
/// \xNN, as in `printable`.
std::string escaped(std::string_view text);

/// The first `most` characters, with an ellipsis where something is left out.
std::string shortened(std::string_view text, size_t most);

/// The width of a drawing and what stands in it, in pixels at which its text is 12 pixels high.
struct extent {
  double width = 720, height = 380;
};

/// A mark that can be told from the others without colours: one of `shape_count` shapes. `css` are classes.
inline constexpr size_t shape_count = 8;
std::string shape(size_t number, double x, double y, std::string_view css);

/// Finds room for labels, so that they cover neither each other nor the marks.
class label_room {
public:
  explicit label_room(extent inside) : inside_(inside) {}

  /// Keeps labels away from a mark.
  void block(double x, double y, double radius);
  /// A label beside the mark at `x`, `y`: to the right of it, to the left, above or below, where it fits best.
  std::string place(double x, double y, std::string_view text, std::string_view css);

private:
  struct box {
    double left, top, right, bottom;
  };
  double cost(const box& wanted) const;

  extent inside_;
  std::vector<box> taken_;
};

/// How wide a label is, about.
double text_width(std::string_view text);

/// An <svg> element with a title that screen readers tell. `body` is SVG.
std::string drawing(extent size, std::string_view title, std::string_view body);

} // namespace gnomon::report
