"""TFLite files: conversion, inspection, and the operations that each target supports."""
