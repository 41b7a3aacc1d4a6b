#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gnomon::learning {

/// Finds the rows with the greatest inner product plus bias without comparing all of them. Rows are clustered
/// (k-means), and a query searches only the clusters whose centres score best (an inverted file, Jégou et al. 2011).
/// Immutable once built; searching is safe from any thread.
class item_index {
public:
  item_index() = default;
  /// `rows` holds `count` rows of `width` floats, width a multiple of 16. About sqrt(count) clusters.
  item_index(const std::vector<float>& rows, const std::vector<float>& biases, size_t width);

  /// Indices of the `wanted` best of the rows compared, best first. `probes` 0 searches every cluster.
  void search(const float* query, size_t wanted, size_t probes, std::vector<uint32_t>& out) const;

  size_t clusters() const {
    return centre_biases_.size();
  }

private:
  void cluster(const std::vector<float>& rows, std::vector<uint32_t>& owner);
  void move_centres(const std::vector<float>& rows, const std::vector<float>& biases,
                    const std::vector<uint32_t>& owner);
  void arrange(const std::vector<float>& rows, const std::vector<float>& biases, const std::vector<uint32_t>& owner);

  size_t width_ = 0;
  std::vector<float> centres_;
  std::vector<float> centre_biases_;
  std::vector<size_t> ends_;       // of each cluster in what follows
  std::vector<uint32_t> original_; // index of each row before it was arranged by cluster
  std::vector<float> rows_;
  std::vector<float> biases_;
};

} // namespace gnomon::learning
