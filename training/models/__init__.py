"""Networks: functions of a layer namespace, so that Keras 3 and tf_keras build the same graph."""
