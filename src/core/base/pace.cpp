#include "core/base/pace.h"

#include "core/base/processor_share.h"

namespace steward {

void Pace::step_done() const {
    if (share_ != nullptr) share_->step_done();
}

}  // namespace steward
