// Package alarm writes down what an operator should know (a quota that is
// spent up to a threshold, a model without a price, a provider that went over
// its cap), once each, and tells it to a webhook until that has taken it.
package alarm
